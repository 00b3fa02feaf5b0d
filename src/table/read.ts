/** The kernel's whole table, a chunk at a time: the next one is read while the last one is used. */

import { ExitCode, Failure } from '../exit-codes.ts';
import type { Native } from '../native.ts';
import type { Step } from '../verdict.ts';
import type { Selection } from './native-table.ts';
import { Records } from './record.ts';

const CHUNK = 4096;

export const EVERYTHING: Selection = { family: 0, statusMask: 0, statusValue: 0 };

/**
 * Yields the same two `Records` in turn: a chunk must be used before the next one is asked for. The
 * table is not frozen meanwhile: an entry that is there all the time comes once, one that comes or
 * goes may be seen or not.
 * @param netns descriptor of the namespace, null for this process's own
 * @param evidence gets the steps that were taken
 * @throws {Failure} when the kernel will not, or cannot, be asked
 */
export async function* readTable(
  native: Native,
  selection: Selection,
  netns: number | null,
  evidence: Step[] = [],
): AsyncGenerator<Records, void, void> {
  const { table, steps } = native.openTable(selection, netns ?? undefined);
  evidence.push(...steps);
  if (table === null) throw tableFailure(steps.at(-1) ?? null);
  let chunk = new Records(CHUNK);
  let spare = new Records(CHUNK);
  let reading = native.readTable(table, chunk.bytes);
  let over = false;
  try {
    while (!over) {
      const answer = await reading;
      if (answer.failure !== null) throw tableFailure(answer.failure);
      over = answer.over;
      chunk.count = answer.count;
      if (!over) reading = native.readTable(table, spare.bytes);
      if (chunk.count > 0) yield chunk;
      [chunk, spare] = [spare, chunk];
    }
  } finally {
    await reading.catch(() => {});
    native.closeTable(table);
  }
}

/** Why the table could not be read, as a sentence with a remedy. */
export function tableFailure(step: Step | null): Failure {
  const says = `${step?.call} ${step?.target} says ${step?.errorName ?? 'nothing'}`;
  if (step?.errorName === 'EPERM' || step?.errorName === 'EACCES') {
    return new Failure(
      ExitCode.notPermitted,
      `the conntrack table may only be asked with CAP_NET_ADMIN: ${says}`,
      'run the same command as root (sudo)',
    );
  }
  if (step?.errorName === 'EPROTONOSUPPORT' || step?.errorName === 'EINVAL') {
    return new Failure(
      ExitCode.notHere,
      `this kernel has no ctnetlink: ${says}`,
      'modprobe nf_conntrack_netlink',
    );
  }
  return new Failure(ExitCode.internal, `the conntrack table could not be read: ${says}`);
}
