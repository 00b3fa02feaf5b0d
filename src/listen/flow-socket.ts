/**
 * A datagram socket for one flow: connected, so that it gets this peer's datagrams and its ICMP errors.
 * Prepared and connected through the addon, which can be transparent; read by Node's event loop.
 */

import { createSocket, type Socket } from 'node:dgram';
import { endpoint } from '../endpoint.ts';
import { FOREIGN_ADDRESS, SO_REUSEADDR, SOL_SOCKET } from '../host/socket-numbers.ts';
import type { Native } from '../native.ts';
import type { Endpoint, Step } from '../verdict.ts';
import { openUpstream } from './upstream.ts';

export interface FlowEvents {
  message(bytes: Buffer, from: Endpoint): void;
  error(error: NodeJS.ErrnoException): void;
}

export class FlowSocket {
  readonly local: Endpoint | null;
  readonly #native: Native;
  readonly #fd: number;
  readonly #reader: Socket;

  /** @param fd connected; closed with the socket */
  constructor(native: Native, fd: number, peer: Endpoint, events: FlowEvents) {
    this.#native = native;
    this.#fd = fd;
    this.local = native.describe(fd).local;
    this.#reader = createSocket(peer.family === 4 ? 'udp4' : 'udp6');
    this.#reader.on('message', (bytes, { address, port }) => events.message(bytes, endpoint(address, port)));
    this.#reader.on('error', (error) => events.error(error));
    this.#reader.bind({ fd, exclusive: true });
  }

  /** Bytes that the kernel took; a datagram that finds no room is lost, as datagrams are. */
  send(bytes: Uint8Array): number {
    return Math.max(0, this.#native.send(this.#fd, bytes).result);
  }

  close(): void {
    this.#reader.close();
  }
}

/**
 * Answers to a client in the name that it called. The client's further datagrams come to this socket.
 * @param foreign `local` is no address of this host (TPROXY)
 */
export function answeringSocket(
  native: Native,
  local: Endpoint,
  peer: Endpoint,
  foreign: boolean,
  events: FlowEvents,
): FlowSocket | Step {
  const { fd, steps } = native.openSocket(local.family, 'udp');
  if (fd === null) return steps.at(-1) as Step;
  const { family } = local;
  const option = foreign
    ? native.prepare(FOREIGN_ADDRESS, fd, { operation: 'spoof', family, protocol: 'udp' }).steps
    : [];
  const calls = [
    () => native.setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1),
    () => native.bind(fd, local),
    () => native.connect(fd, peer),
  ];
  const refused = firstFailure(option) ?? firstRefused(calls);
  if (refused === undefined) return new FlowSocket(native, fd, peer, events);
  native.close(fd);
  return refused;
}

/** On to the original destination, from this host's address or from the client's. */
export function upstreamSocket(
  native: Native,
  target: Endpoint,
  source: Endpoint | null,
  events: FlowEvents,
): FlowSocket | Step {
  const { fd, refused } = openUpstream(native, 'udp', target, source);
  if (fd === null) return refused;
  const connected = native.connect(fd, target);
  if (connected.errorName === null) return new FlowSocket(native, fd, target, events);
  native.close(fd);
  return connected;
}

function firstFailure(steps: readonly Step[]): Step | undefined {
  return steps.find(({ errorName }) => errorName !== null);
}

function firstRefused(calls: readonly (() => Step)[]): Step | undefined {
  for (const call of calls) {
    const step = call();
    if (step.errorName !== null) return step;
  }
  return undefined;
}
