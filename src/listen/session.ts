/** A listen test from the first descriptor to the summary. */

import { once } from 'node:events';
import type { Problem } from '../diagnosis/finding.ts';
import type { LookupResult } from '../inquiry.ts';
import { askable } from '../lookup.ts';
import type { Native } from '../native.ts';
import type { Arrival, ListenRequest, Observer, Summary } from './arrival.ts';
import { Identifier, intercepted } from './identify.ts';
import type { Admission, Listener } from './listener.ts';
import { openListener } from './socket.ts';
import { Tally } from './tally.ts';
import { TcpListener } from './tcp.ts';
import { UdpListener } from './udp.ts';
import { requireSpoofing } from './upstream.ts';

/**
 * @param interruption aborted by the user: the summary follows at once
 * @throws {import('../exit-codes.ts').Failure} when there can be no listener
 */
export async function listenTest(
  native: Native,
  request: ListenRequest,
  observer: Observer,
  interruption: AbortSignal,
): Promise<Summary> {
  const { protocol, handling, count } = request;
  const mechanisms = askable(native, request.mechanism).filter(({ questions }) =>
    questions.some((question) => question.operation === 'lookup' && question.protocol === protocol),
  );
  if (handling.kind === 'relay' && handling.spoof) requireSpoofing(native);
  const socket = openListener(native, request);
  const tally = new Tally(request.expect);
  const enough = new AbortController();

  const admission: Admission = {
    admit(result: LookupResult): Arrival | null {
      if (enough.signal.aborted || interruption.aborted) return null;
      const arrival = {
        id: tally.connections + 1,
        ...result,
        intercepted: intercepted(result),
        expected: tally.judge(result),
      };
      tally.arrived(arrival);
      observer.connection(arrival);
      if (tally.connections === count) enough.abort();
      return arrival;
    },
    closed(closed) {
      tally.closed(closed);
      observer.closed(closed);
    },
  };
  const identifier = new Identifier(native, mechanisms, socket.bound);
  const Kind = protocol === 'tcp' ? TcpListener : UdpListener;
  const listener: Listener = new Kind(native, socket, handling, identifier, admission);
  enough.signal.addEventListener('abort', () => listener.stopAccepting());
  await listener.start();
  const { address, port } = socket.bound;
  const { families, transparent, notes } = socket;
  observer.listening({ address, port, protocol, families, transparent, capacity: listener.capacity, notes });

  const time = new AbortController();
  const timer = request.timeout === null ? null : setTimeout(() => time.abort(), request.timeout * 1000);
  await Promise.race([enough.signal, interruption, time.signal].map(aborted));
  const ended = endedBy(enough.signal, interruption);
  const problems =
    ended === 'timeout' && tally.intercepted === 0 ? await diagnose(native, request, port) : [];
  listener.stopAccepting();
  await listener.settle(AbortSignal.any([interruption, time.signal]));
  if (timer !== null) clearTimeout(timer);
  await listener.abort();
  const summary = tally.summary(interruption.aborted ? 'interrupted' : ended, listener.dropped, problems);
  observer.summary(summary);
  return summary;
}

/** While the listener still stands: what is wrong with it is to be seen as well. */
async function diagnose(
  native: Native,
  { protocol, expect }: ListenRequest,
  port: number,
): Promise<Problem[]> {
  const { examine } = await import('../diagnosis/doctor.ts');
  const [destination] = expect;
  return examine(native, { port, protocol, ...(destination === undefined ? {} : { destination }) }).problems;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

/** A test that had all its connections was not cut short by a time-out that came while they ended. */
function endedBy(enough: AbortSignal, interruption: AbortSignal): Summary['ended'] {
  if (interruption.aborted) return 'interrupted';
  return enough.aborted ? 'count' : 'timeout';
}
