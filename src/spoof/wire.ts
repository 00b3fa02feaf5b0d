/** Watches the wire for one flow, and says what was seen of it. */

import type { Namespace } from '../host/namespaces.ts';
import type { Native } from '../native.ts';
import type { Endpoint, Protocol, Step } from '../verdict.ts';
import { decodePacket, isFrom, isTo, type Packet } from './packet.ts';

/** Enough for every retransmission of a handshake; data that follows tells nothing more. */
const MOST_PACKETS = 64;

export interface Flow {
  protocol: Protocol;
  local: Endpoint;
  peer: Endpoint;
}

export class Wire {
  readonly steps: Step[];
  readonly #native: Native;
  readonly #fd: number | null;
  readonly #packets: Packet[] = [];

  /** Opened before the first packet is sent, so that none is missed. */
  constructor(native: Native, flow: Flow, netns: Namespace | null) {
    const { fd, steps } = native.openWatch(flow, netns?.fd);
    this.#native = native;
    this.#fd = fd;
    this.steps = steps;
  }

  get isWatched(): boolean {
    return this.#fd !== null;
  }

  /** All packets so far. */
  packets(): readonly Packet[] {
    while (this.#fd !== null && this.#packets.length < MOST_PACKETS) {
      const captured = this.#native.readCapture(this.#fd);
      if (captured === null) break;
      const packet = decodePacket(captured);
      if (packet !== null) this.#packets.push(packet);
    }
    return this.#packets;
  }

  close(): void {
    if (this.#fd !== null) this.#native.close(this.#fd);
  }
}

/** What the packets say about the way out and the way back. */
export interface Sighting {
  /** Left this host with the addresses that were meant. */
  sent: Packet | null;
  /** Left this host for the target, but from another address. */
  rewritten: Packet | null;
  /** Came in from the target, for whatever address the request bore on the wire. */
  reply: Packet | null;
  /** Came by on its way to another machine. */
  overheard: Packet | null;
  /** Left this host again (or without ever having come in) for the spoofed address. */
  passedOn: Packet | null;
  /** The owner of the spoofed address speaks to the target. */
  owner: Packet | null;
  icmp: Packet | null;
}

export function sight(packets: readonly Packet[], { local, peer }: Flow): Sighting {
  const first = (test: (packet: Packet) => boolean) => packets.find(test) ?? null;
  const plain = (direction: Packet['direction'], test: (packet: Packet) => boolean) =>
    first((packet) => packet.icmp === null && packet.direction === direction && test(packet));
  return {
    sent: plain('out', (packet) => isTo(packet, peer) && isFrom(packet, local)),
    rewritten: plain('out', (packet) => isTo(packet, peer) && !isFrom(packet, local)),
    reply: plain('in', (packet) => isFrom(packet, peer)),
    overheard: plain('overheard', (packet) => isFrom(packet, peer)),
    passedOn: plain('out', (packet) => isFrom(packet, peer)),
    owner: plain('in', (packet) => isFrom(packet, local) && packet.interface !== 'lo'),
    icmp: first((packet) => packet.icmp !== null && isTo(packet.icmp.about, peer)),
  };
}
