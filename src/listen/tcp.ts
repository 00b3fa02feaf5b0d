/** TCP: accepts on the prepared descriptor, asks about each connection, and holds, answers or relays it. */

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { subject } from '../flows/subject.ts';
import type { Native } from '../native.ts';
import type { Arrival, Closed, Ending, Handling } from './arrival.ts';
import { connectionCapacity } from './capacity.ts';
import type { Identifier } from './identify.ts';
import type { Admission, Listener } from './listener.ts';
import { LoopGuard, refuseRelay } from './loop.ts';
import { endpointOf } from './place.ts';
import { relay } from './relay.ts';
import { BACKLOG, type ListeningSocket } from './socket.ts';

/** Time for the client of a replied connection to close its side, before ours ends the test. */
const LINGER_MS = 2000;

export class TcpListener implements Listener {
  dropped = 0;
  readonly capacity: number | null;
  readonly #native: Native;
  readonly #socket: ListeningSocket;
  readonly #handling: Handling;
  readonly #identifier: Identifier;
  readonly #admission: Admission;
  readonly #loops: LoopGuard;
  readonly #server: Server;
  /** What is open, and how each is ended at once. */
  readonly #open = new Map<Socket, () => void>();
  #emptied: () => void = () => {};

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
    this.capacity = connectionCapacity(handling.kind === 'relay' ? 2 : 1);
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) =>
      this.#accept(client),
    );
    this.#server.maxConnections = this.capacity ?? Number.POSITIVE_INFINITY;
    this.#server.on('drop', () => {
      this.dropped += 1;
    });
  }

  async start(): Promise<void> {
    // Node calls listen(2) again, and with a descriptor it takes the backlog only from here.
    this.#server.listen({ fd: this.#socket.fd }, BACKLOG);
    await once(this.#server, 'listening');
  }

  stopAccepting(): void {
    this.#server.close();
  }

  async settle(signal: AbortSignal): Promise<void> {
    if (this.#handling.kind === 'hold' || this.#open.size === 0 || signal.aborted) return;
    const empty = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    const limits = [once(signal, 'abort')];
    if (this.#handling.kind === 'reply')
      limits.push(sleep(LINGER_MS, [], { ref: false, signal }).catch(() => []));
    await Promise.race([empty, ...limits]);
  }

  /** Their `closed` reports follow before this resolves. */
  async abort(): Promise<void> {
    if (this.#open.size === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    for (const end of this.#open.values()) end();
    await empty;
  }

  #accept(client: Socket): void {
    const arrival = this.#admission.admit(
      this.#identifier.ask(subject({ protocol: 'tcp', fd: descriptor(client) })),
    );
    if (arrival === null) {
      client.on('error', ignore);
      client.resetAndDestroy();
      return;
    }
    switch (this.#handling.kind) {
      case 'hold':
        this.#hold(client, arrival, null);
        break;
      case 'reply':
        this.#hold(client, arrival, this.#handling.text);
        break;
      case 'relay':
        this.#relay(client, arrival, this.#handling.spoof);
        break;
    }
  }

  #hold(client: Socket, arrival: Arrival, reply: string | null): void {
    let ending: Ending = 'closed';
    let detail: string | null = null;
    client.on('error', (error: NodeJS.ErrnoException) => {
      ending = 'reset';
      detail = `${error.syscall ?? 'read'}: ${error.code ?? error.message}`;
    });
    client.once('end', () => client.end());
    client.once('close', () => this.#closed(client, arrival, { ending, detail, upstream: null }));
    this.#open.set(client, () => {
      ending = 'stopped';
      client.destroy();
    });
    client.resume();
    if (reply !== null) client.end(reply);
  }

  #relay(client: Socket, arrival: Arrival, spoof: boolean): void {
    const { original, flow } = arrival;
    const refusal = refuseRelay(this.#loops, arrival);
    if (refusal !== null || original === null || flow.peer === null) {
      const how = refusal ?? {
        ending: 'unreachable' as const,
        detail: 'the client had gone before it could be asked',
      };
      client.on('error', ignore);
      client.once('close', () => this.#closed(client, arrival, { ...how, upstream: null }));
      this.#open.set(client, ignore);
      client.resetAndDestroy();
      return;
    }
    let stopped = false;
    const source = spoof ? endpointOf(flow.peer) : null;
    const relayed = relay(this.#native, this.#loops, client, endpointOf(original), source, (carried) =>
      this.#closed(client, arrival, stopped ? { ...carried, ending: 'stopped' } : carried),
    );
    this.#open.set(client, () => {
      stopped = true;
      relayed.abort();
    });
  }

  #closed(client: Socket, arrival: Arrival, how: Pick<Closed, 'ending' | 'detail' | 'upstream'>): void {
    this.#open.delete(client);
    this.#admission.closed({
      id: arrival.id,
      client: arrival.flow.peer,
      received: client.bytesRead,
      sent: client.bytesWritten,
      ...how,
    });
    if (this.#open.size === 0) this.#emptied();
  }
}

function ignore(): void {}

/** Node has no public name for the descriptor of a socket that it accepted. */
function descriptor(socket: Socket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}
