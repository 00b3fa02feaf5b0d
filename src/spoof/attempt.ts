/** Connects from an address that is not this host's, stage by stage, with an eye on the wire. */

import type { Native } from '../native.ts';
import type { Endpoint } from '../verdict.ts';
import { bindAndAssign } from './assignment.ts';
import { conclude } from './conclude.ts';
import { awaitHandshake, exchange, type Patience, startConnect } from './conversation.ts';
import type { Explained, Facts } from './facts.ts';
import type { Place, SpoofReport, Stage } from './report.ts';
import type { SpoofRequest } from './request.ts';
import { bindSource, controlBind, openSocket, stage } from './socket.ts';
import { sight, Wire } from './wire.ts';

const MOST_SHOWN = 1024;
/** A control connection is only to tell a silent target from a lost reply. */
const CONTROL_MS = 2000;

/** @param signal aborts the waiting; what was opened is closed then, too */
export async function spoofConnect(
  native: Native,
  request: SpoofRequest,
  signal: AbortSignal,
): Promise<SpoofReport> {
  const { fd, stages } = openSocket(native, request);
  try {
    const facts = start(native, request, stages, signal);
    if (fd === null || stages.at(-1)?.verdict !== 'ok') return report(facts, await conclude(facts));
    const wire = prepare(facts, fd);
    if (wire === null) return report(facts, await conclude(facts));
    try {
      await converse(facts, fd, { deadline: performance.now() + request.timeoutMs, signal });
      if (wire.isWatched) {
        facts.packets = wire.packets();
        facts.sighting = sight(facts.packets, facts.flow);
      }
      return report(facts, await conclude(facts));
    } finally {
      wire.close();
    }
  } finally {
    if (fd !== null) native.close(fd);
  }
}

function start(native: Native, request: SpoofRequest, stages: Stage[], signal: AbortSignal): Facts {
  return {
    native,
    request,
    flow: { protocol: request.protocol, local: request.source, peer: request.target },
    stages,
    packets: null,
    sighting: null,
    received: null,
    isClosed: false,
    controlPatience: () => ({
      deadline: performance.now() + Math.min(CONTROL_MS, request.timeoutMs),
      signal,
    }),
  };
}

/** Control, bind and watch. null: it ends here. */
function prepare(facts: Facts, fd: number): Wire | null {
  const { native, request, stages } = facts;
  const control = controlBind(native, request);
  stages.push(control.stage);
  if (control.own !== null) return null;
  const take = request.mechanism === 'tproxy2' ? bindAndAssign : bindSource;
  const bound = take(native, fd, request);
  stages.push(...bound.stages);
  if (stages.at(-1)?.verdict !== 'ok') return null;
  facts.flow = { ...facts.flow, local: bound.source };
  const wire = new Wire(native, facts.flow, request.netns);
  const watch = stage('watch', wire.steps);
  const note = wire.isWatched ? null : 'the wire is not watched: that takes CAP_NET_RAW';
  stages.push({ ...watch, note });
  return wire;
}

async function converse(facts: Facts, fd: number, patience: Patience): Promise<void> {
  const { native, flow, request, stages } = facts;
  const connected = startConnect(native, fd, flow.peer);
  stages.push(connected);
  if (connected.verdict !== 'ok') return;
  if (request.protocol === 'tcp') {
    const handshake = await awaitHandshake(native, fd, flow.peer, patience);
    stages.push(handshake);
    if (handshake.verdict !== 'ok') return;
  }
  if (request.send === null && request.expect === null) return;
  const data = await exchange(native, fd, request.send, expectation(request), patience);
  stages.push(data.stage);
  facts.received = data.received;
  facts.isClosed = request.protocol === 'tcp' && data.isClosed;
}

/** A datagram proves nothing until something comes back, so that any answer is waited for. */
function expectation({ protocol, expect }: SpoofRequest): ((received: Buffer) => boolean) | null {
  if (expect !== null) return (received) => received.includes(expect);
  return protocol === 'udp' ? () => true : null;
}

function report(facts: Facts, { evidence, ...conclusion }: Explained): SpoofReport {
  const { flow, packets, received } = facts;
  return {
    schema: 'origdst.spoof-connect/1',
    mechanism: facts.request.mechanism,
    protocol: flow.protocol,
    source: place(flow.local),
    target: place(flow.peer),
    stages: facts.stages,
    packets: packets === null ? null : [...packets],
    received: received?.length ? received.toString('utf8').slice(0, MOST_SHOWN) : null,
    ...conclusion,
    evidence,
  };
}

function place({ address, port }: Endpoint): Place {
  return { address, port };
}
