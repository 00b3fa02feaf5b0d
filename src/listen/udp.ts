/**
 * UDP: a flow is what goes between two endpoints; its first datagram is the arrival.
 *
 * Node's dgram reads without control messages, and the destination of a datagram stands in one
 * (IP_RECVORIGDSTADDR). So the addon reads, and the kernel wakes Node by SIGIO when there is something
 * to read (socket(7), O_ASYNC): no thread, no polling, and nothing of libuv's that Node-API does not
 * promise. A signal stands for any number of datagrams, so the socket is read until it is empty.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { said } from '../conclusion.ts';
import { sameEndpoint } from '../endpoint.ts';
import { ExitCode, Failure } from '../exit-codes.ts';
import { subject } from '../flows/subject.ts';
import type { Native } from '../native.ts';
import type { Endpoint } from '../verdict.ts';
import type { Arrival, Closed, Ending, Handling } from './arrival.ts';
import { connectionCapacity } from './capacity.ts';
import { answeringSocket, FlowSocket, upstreamSocket } from './flow-socket.ts';
import type { Identifier } from './identify.ts';
import type { Admission, Listener } from './listener.ts';
import { LoopGuard, refuseRelay } from './loop.ts';
import { endpointOf, placeOf } from './place.ts';
import type { ListeningSocket } from './socket.ts';

const LARGEST_DATAGRAM = 65_535;
/** Datagrams that are read at one go, before timers and other sockets have their turn. */
const BATCH = 64;
/** As connection tracking forgets a flow (nf_conntrack_udp_timeout_stream is 120 s, the plain one 30 s). */
const IDLE_MS = 60_000;
const SWEEP_MS = 5000;
/** A relay has nothing more to carry after so much silence. */
const QUIET_MS = 1000;
const MOST_FLOWS = 100_000;

interface Flow {
  arrival: Arrival;
  client: Endpoint;
  local: Endpoint;
  received: number;
  sent: number;
  last: number;
  answer: FlowSocket | null;
  upstream: FlowSocket | null;
  target: Endpoint | null;
  over: boolean;
}

export class UdpListener implements Listener {
  dropped = 0;
  readonly capacity: number | null;
  readonly #native: Native;
  readonly #socket: ListeningSocket;
  readonly #handling: Handling;
  readonly #identifier: Identifier;
  readonly #admission: Admission;
  readonly #loops: LoopGuard;
  readonly #flows = new Map<string, Flow>();
  readonly #wake = () => this.#drain();
  #sweeper: NodeJS.Timeout | null = null;
  #last = performance.now();

  constructor(
    native: Native,
    socket: ListeningSocket,
    handling: Handling,
    identifier: Identifier,
    admission: Admission,
  ) {
    this.#native = native;
    this.#socket = socket;
    this.#handling = handling;
    this.#identifier = identifier;
    this.#admission = admission;
    this.#loops = new LoopGuard(socket.bound);
    this.capacity =
      handling.kind === 'hold' ? MOST_FLOWS : connectionCapacity(handling.kind === 'relay' ? 2 : 1);
  }

  async start(): Promise<void> {
    process.on('SIGIO', this.#wake);
    const { steps } = this.#native.signalWhenReadable(this.#socket.fd, process.pid);
    const refused = steps.find(({ errorName }) => errorName !== null);
    if (refused !== undefined)
      throw new Failure(ExitCode.notHere, `datagrams cannot be waited for: ${said(refused)}`);
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#drain();
  }

  /** The socket stays: datagrams of known flows are still carried. The admission refuses new ones. */
  stopAccepting(): void {}

  async settle(signal: AbortSignal): Promise<void> {
    if (this.#handling.kind !== 'relay') return;
    while (!signal.aborted && performance.now() - this.#last < QUIET_MS) {
      await sleep(QUIET_MS / 4, undefined, { signal }).catch(() => undefined);
    }
  }

  async abort(): Promise<void> {
    if (this.#sweeper !== null) clearInterval(this.#sweeper);
    for (const flow of this.#flows.values()) this.#close(flow, 'stopped', null);
    process.off('SIGIO', this.#wake);
    this.#native.close(this.#socket.fd);
    this.#sweeper = null;
  }

  #drain(): void {
    for (let read = 0; read < BATCH; read++) {
      const { bytes, from, original } = this.#native.receive(this.#socket.fd, LARGEST_DATAGRAM);
      if (bytes === null) return;
      if (from !== null) this.#datagram(bytes, from, original ?? this.#socket.bound);
    }
    setImmediate(() => {
      if (this.#sweeper !== null) this.#drain();
    });
  }

  #datagram(bytes: Buffer, from: Endpoint, local: Endpoint): void {
    const name = key(from, local);
    const known = this.#flows.get(name);
    const flow = known ?? this.#open(name, from, local, bytes.length);
    if (flow === null) return;
    flow.last = this.#last = performance.now();
    if (flow.over) return;
    if (known !== undefined) flow.received += bytes.length;
    if (this.#handling.kind === 'reply')
      flow.sent += flow.answer?.send(Buffer.from(this.#handling.text)) ?? 0;
    else if (this.#handling.kind === 'relay') this.#carry(flow, bytes);
  }

  #open(name: string, client: Endpoint, local: Endpoint, received: number): Flow | null {
    if (this.#flows.size >= (this.capacity ?? MOST_FLOWS)) {
      this.dropped += 1;
      return null;
    }
    const arrival = this.#admission.admit(
      this.#identifier.ask(subject({ protocol: 'udp', peer: client, local })),
    );
    if (arrival === null) return null;
    const flow: Flow = {
      arrival,
      client,
      local,
      received,
      sent: 0,
      last: 0,
      answer: null,
      upstream: null,
      target: null,
      over: false,
    };
    this.#flows.set(name, flow);
    if (this.#handling.kind !== 'hold') this.#prepareAnswer(flow);
    return flow;
  }

  /** Closes the flow where it cannot be answered: the client would take another sender's name for no answer. */
  #prepareAnswer(flow: Flow): void {
    const { arrival, client, local } = flow;
    const refusal = this.#handling.kind === 'relay' ? refuseRelay(this.#loops, arrival) : null;
    if (refusal !== null) {
      this.#close(flow, refusal.ending, refusal.detail);
      return;
    }
    const socket = answeringSocket(this.#native, local, client, arrival.mechanism === 'tproxy4', {
      message: (bytes, from) => this.#datagram(bytes, from, local),
      error: (error) =>
        this.#close(flow, 'reset', `${error.syscall ?? 'recvmsg'}: ${error.code ?? error.message}`),
    });
    if (socket instanceof FlowSocket) flow.answer = socket;
    else this.#close(flow, 'unreachable', `no answer in the name of ${local.address}: ${said(socket)}`);
  }

  #carry(flow: Flow, bytes: Buffer): void {
    if (flow.upstream === null && !this.#connect(flow)) return;
    flow.upstream?.send(bytes);
  }

  #connect(flow: Flow): boolean {
    const { arrival, client } = flow;
    if (arrival.original === null) return false;
    const target = endpointOf(arrival.original);
    const source = this.#handling.kind === 'relay' && this.#handling.spoof ? client : null;
    const socket = upstreamSocket(this.#native, target, source, {
      message: (bytes, from) => {
        if (!sameEndpoint(from, target)) return;
        flow.last = this.#last = performance.now();
        flow.sent += flow.answer?.send(bytes) ?? 0;
      },
      error: (error) =>
        this.#close(flow, 'unreachable', `${error.syscall ?? 'recvmsg'}: ${error.code ?? error.message}`),
    });
    if (!(socket instanceof FlowSocket)) {
      this.#close(flow, 'unreachable', `${socket.call}: ${socket.errorName}`);
      return false;
    }
    flow.upstream = socket;
    flow.target = target;
    if (socket.local !== null) this.#loops.opened(socket.local, target);
    return true;
  }

  /** Reported once; what still comes for it is no new arrival until it has been silent for long. */
  #close(flow: Flow, ending: Ending, detail: string | null): void {
    if (flow.over) return;
    flow.over = true;
    flow.answer?.close();
    flow.upstream?.close();
    const local = flow.upstream?.local ?? null;
    if (local !== null) this.#loops.ended(local);
    const upstream: Closed['upstream'] =
      local === null || flow.target === null ? null : { local: placeOf(local), remote: placeOf(flow.target) };
    this.#admission.closed({
      id: flow.arrival.id,
      client: placeOf(flow.client),
      received: flow.received,
      sent: flow.sent,
      ending,
      detail,
      upstream,
    });
  }

  #sweep(): void {
    const idle = performance.now() - IDLE_MS;
    for (const [name, flow] of this.#flows) {
      if (flow.last > idle) continue;
      this.#close(flow, 'closed', null);
      this.#flows.delete(name);
    }
    this.#drain();
  }
}

function key(from: Endpoint, local: Endpoint): string {
  return `${from.address} ${from.port} ${local.address} ${local.port}`;
}
