/** How many connections this process can hold: each is an open file, and a relayed one is two. */

import { readdirSync, readFileSync } from 'node:fs';

/** For the control bind of a lookup, a namespace that is looked into, and the tools of the diagnosis. */
const RESERVE = 64;

/**
 * Node raises the soft limit to the hard one when it starts, so that this is all there is. Beyond it
 * accept(2) would answer EMFILE, and libuv would close what waits without a word (uv__emfile_trick).
 * @returns null where the limit cannot be read
 */
export function connectionCapacity(filesEach: number): number | null {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
    if (soft === undefined) return null;
    const open = readdirSync('/proc/self/fd').length;
    return Math.max(1, Math.floor((Number(soft) - open - RESERVE) / filesEach));
  } catch {
    return null;
  }
}
