/** Waiting for what another process does: by looking again, and never for ever. */

import { setTimeout as sleep } from 'node:timers/promises';

/** Far more than anything waited for takes, also where other tests run at the same time. */
export const LIMIT_MS = 20_000;
const INTERVAL_MS = 25;

/**
 * The first answer of `look` that is neither undefined nor false.
 * @param what what was waited for, as a sentence's end; asked only when it never came
 */
export async function eventually<T>(look: () => T | undefined | false, what: () => string): Promise<T> {
  const end = performance.now() + LIMIT_MS;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`waited ${LIMIT_MS / 1000} s in vain for ${what()}`);
    await sleep(INTERVAL_MS);
  }
}
