/** Runs a tool of the system that only reads, and tells what it said as a step. */

import { spawnSync } from 'node:child_process';
import type { Step } from '../verdict.ts';

export interface Reading {
  /** null: the tool is missing, was refused or failed; the step says which. */
  text: string | null;
  step: Step;
}

const LIMIT_MS = 5000;
const LIMIT_BYTES = 1 << 26;

export function readWith(command: string, ...args: string[]): Reading {
  const run = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: LIMIT_MS,
    maxBuffer: LIMIT_BYTES,
    stdio: ['ignore', 'pipe', 'pipe'],
    // What they say is read: in no language but C's.
    env: { ...process.env, LC_ALL: 'C' },
  });
  const code = (run.error as NodeJS.ErrnoException | undefined)?.code ?? null;
  const succeeded = code === null && run.status === 0;
  const words = succeeded ? '' : (run.stderr ?? '').trim().split('\n')[0] || (code ?? `exit ${run.status}`);
  return {
    text: succeeded ? run.stdout : null,
    step: {
      call: 'run',
      target: [command, ...args].join(' '),
      result: run.status ?? -1,
      errno: null,
      errorName: succeeded ? null : (code ?? refusal(words)),
      detail: words,
    },
  };
}

/** The tools of netfilter and iproute2 say EPERM and EACCES in words only: strerror(3). */
function refusal(words: string): string {
  if (/operation not permitted|you must be root/i.test(words)) return 'EPERM';
  return /permission denied/i.test(words) ? 'EACCES' : 'EXIT';
}
