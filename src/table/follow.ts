/**
 * Connections as they come and go. What the kernel could not deliver is counted by it, said at once,
 * and made good by reading the table anew.
 */

import type { Native } from '../native.ts';
import { type FlowFilter, matches } from './filter.ts';
import { type Flow, flowOf } from './flow.ts';
import { tableFailure } from './read.ts';
import { LEAST_RECORDS, Records } from './record.ts';
import { selectFlows } from './select.ts';

export type News =
  /** `source` table: found by reading it, at the beginning, after a loss, or from time to time. */
  | { event: 'present' | 'new' | 'destroyed'; source: 'event' | 'table'; flow: Flow }
  /** `lost` events since the last such news (null: the kernel cannot tell how many), `total` since the beginning. */
  | { event: 'lost'; lost: number | null; total: number | null }
  /** Nothing happened for a moment: all that was there to tell has been told. */
  | { event: 'quiet' };

export interface FollowOptions {
  filter: FlowFilter;
  /** Descriptor of the namespace, null for this process's own. */
  netns: number | null;
  /** Bytes of events that the kernel may hold back. */
  buffer: number;
  signal?: AbortSignal;
}

const WAIT_MS = 200;
/**
 * An entry that was made while nobody listened has no events (nf_conntrack_events 2, the default), so
 * that its end is only seen in the table.
 */
const REREAD_MS = 10_000;
const CHUNK = 8 * LEAST_RECORDS;

/**
 * Ends when the signal is aborted.
 * @throws {import('../exit-codes.ts').Failure} when the kernel will not, or cannot, be asked
 */
export async function* follow(native: Native, options: FollowOptions): AsyncGenerator<News, void, void> {
  const { filter, netns, signal } = options;
  const { fd, steps } = native.openEvents(options.buffer, netns ?? undefined);
  if (fd === null) throw tableFailure(steps.at(-1) ?? null);
  const known = new Map<string, Flow>();
  const records = new Records(CHUNK);
  let total = 0;
  let read = performance.now();
  let stale = false;
  try {
    yield* reread(native, filter, netns, known, 'present');
    yield { event: 'quiet' };
    while (signal?.aborted !== true) {
      const heard = await native.readEvents(fd, records.bytes, WAIT_MS);
      if (heard.failure !== null) throw tableFailure(heard.failure);
      for (let at = 0; at < heard.count; at++) {
        if (!matches(filter, records, at)) continue;
        const news = learn(known, records, at);
        if (news !== null) yield news;
      }
      const lost = heard.lost === -1 ? null : heard.lost - total;
      if (heard.overrun || (lost ?? 0) > 0) {
        if (lost !== null) total += lost;
        stale = true;
        yield { event: 'lost', lost, total: lost === null ? null : total };
      }
      // What is still queued comes first: it is older than what a new reading finds.
      if (heard.count < CHUNK && (stale || performance.now() - read > REREAD_MS)) {
        yield* reread(native, filter, netns, known, 'new');
        read = performance.now();
        stale = false;
      }
      if (heard.count === 0) yield { event: 'quiet' };
    }
  } finally {
    native.close(fd);
  }
}

/** News out of one event, null where it says nothing new: the table was read after it happened. */
function learn(known: Map<string, Flow>, records: Records, at: number): News | null {
  const key = keyOf(records, at);
  const before = known.get(key);
  if (records.event(at) === 'destroyed') {
    if (before === undefined || before.id !== records.id(at)) return null;
    known.delete(key);
    return { event: 'destroyed', source: 'event', flow: before };
  }
  if (before !== undefined && before.id === records.id(at)) return null;
  const flow = flowOf(records, at);
  known.set(key, flow);
  return { event: 'new', source: 'event', flow };
}

/** Compares what is known with the table. */
async function* reread(
  native: Native,
  filter: FlowFilter,
  netns: number | null,
  known: Map<string, Flow>,
  event: 'present' | 'new',
): AsyncGenerator<News, void, void> {
  const gone = new Map(known);
  for await (const { records, wanted, count } of selectFlows(native, filter, netns)) {
    for (let index = 0; index < count; index++) {
      const at = wanted[index] ?? 0;
      const key = keyOf(records, at);
      const before = known.get(key);
      gone.delete(key);
      if (before !== undefined && before.id === records.id(at)) continue;
      if (before !== undefined) yield { event: 'destroyed', source: 'table', flow: before };
      const flow = flowOf(records, at);
      known.set(key, flow);
      yield { event, source: 'table', flow };
    }
  }
  for (const [key, flow] of gone) {
    known.delete(key);
    yield { event: 'destroyed', source: 'table', flow };
  }
}

/** What tells two connections apart that live at the same time: the bytes of the original direction. */
function keyOf(records: Records, at: number): string {
  const start = at * 128;
  const bytes = Buffer.from(records.bytes.buffer, start, 48).toString('latin1');
  const { type, code } = records.icmp(at);
  return `${bytes}${records.protocol(at)} ${records.zone(at)} ${type} ${code}`;
}
