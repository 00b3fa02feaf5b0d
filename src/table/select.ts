/** The entries of the table that a filter wants. */

import type { Native } from '../native.ts';
import type { Step } from '../verdict.ts';
import { type FlowFilter, matches } from './filter.ts';
import type { Selection } from './native-table.ts';
import { EVERYTHING, readTable } from './read.ts';
import { DST_NAT, type Records, SRC_NAT } from './record.ts';

/** Some of a chunk's entries. Valid until the next one is asked for. */
export interface Selected {
  records: Records;
  /** Indices of the wanted entries; the first `count` count. */
  wanted: Int32Array;
  count: number;
}

const DESTINATION: Selection = { family: 0, statusMask: DST_NAT, statusValue: DST_NAT };
const SOURCE_ONLY: Selection = { family: 0, statusMask: DST_NAT | SRC_NAT, statusValue: SRC_NAT };

/**
 * Where only translated connections are wanted the kernel leaves out the others. A kernel that does
 * not know how (before 5.17) sends them all each time: so each answer is held to its question.
 */
export async function* selectFlows(
  native: Native,
  filter: FlowFilter,
  netns: number | null,
  evidence: Step[] = [],
): AsyncGenerator<Selected, void, void> {
  for (const selection of filter.all ? [EVERYTHING] : [DESTINATION, SOURCE_ONLY]) {
    let wanted = new Int32Array(0);
    for await (const records of readTable(native, selection, netns, evidence)) {
      if (wanted.length < records.capacity) wanted = new Int32Array(records.capacity);
      let count = 0;
      for (let at = 0; at < records.count; at++) {
        if ((records.status(at) & selection.statusMask) !== selection.statusValue) continue;
        if (matches(filter, records, at)) wanted[count++] = at;
      }
      if (count > 0) yield { records, wanted, count };
    }
  }
}
