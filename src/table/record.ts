/**
 * Entries of the kernel's table as the addon writes them: 128 bytes each, numbers in host order
 * (odst_entry in native/flows.h). They are read where they lie; an object is made only of those
 * that somebody wants.
 */

import type { Family } from '../verdict.ts';
import { ByteWriter } from './byte-writer.ts';

export const RECORD_SIZE = 128;
export const ENDPOINT_SIZE = 24;
/** A reader needs room for the entries of one datagram of the kernel. */
export const LEAST_RECORDS = 512;

/** Offsets of the four endpoints. */
export const ORIGINAL_SOURCE = 0;
export const ORIGINAL_DESTINATION = 24;
export const REPLY_SOURCE = 48;
export const REPLY_DESTINATION = 72;

/** Bits of the status, linux/netfilter/nf_conntrack_common.h. */
export const SEEN_REPLY = 1 << 1;
export const ASSURED = 1 << 2;
export const SRC_NAT = 1 << 4;
export const DST_NAT = 1 << 5;

const PROTOCOLS: Record<number, string> = {
  1: 'icmp',
  6: 'tcp',
  17: 'udp',
  33: 'dccp',
  47: 'gre',
  58: 'icmpv6',
  132: 'sctp',
  136: 'udplite',
};

const NUMBERS = new Map(Object.entries(PROTOCOLS).map(([number, name]) => [name, Number(number)]));

/** linux/netfilter/nf_conntrack_tcp.h, in the words of conntrack(8). */
const TCP_STATES = [
  'NONE',
  'SYN_SENT',
  'SYN_RECV',
  'ESTABLISHED',
  'FIN_WAIT',
  'CLOSE_WAIT',
  'LAST_ACK',
  'TIME_WAIT',
  'CLOSE',
  'SYN_SENT2',
];

export const EVENTS = ['present', 'new', 'updated', 'destroyed'] as const;
export type EventName = (typeof EVENTS)[number];

/** Room for entries, and three ways of reading the same bytes. */
export class Records {
  readonly bytes: Uint8Array;
  readonly words: Uint16Array;
  readonly numbers: Uint32Array;
  count = 0;

  constructor(capacity: number) {
    const memory = new ArrayBuffer(capacity * RECORD_SIZE);
    this.bytes = new Uint8Array(memory);
    this.words = new Uint16Array(memory);
    this.numbers = new Uint32Array(memory);
  }

  get capacity(): number {
    return this.bytes.length / RECORD_SIZE;
  }

  status(at: number): number {
    return this.numbers[(at * RECORD_SIZE + 96) >> 2] ?? 0;
  }

  id(at: number): number {
    return this.numbers[(at * RECORD_SIZE + 100) >> 2] ?? 0;
  }

  mark(at: number): number {
    return this.numbers[(at * RECORD_SIZE + 104) >> 2] ?? 0;
  }

  /** Seconds until the entry expires. */
  timeout(at: number): number {
    return this.numbers[(at * RECORD_SIZE + 108) >> 2] ?? 0;
  }

  protocol(at: number): number {
    return this.words[(at * RECORD_SIZE + 112) >> 1] ?? 0;
  }

  zone(at: number): number {
    return this.words[(at * RECORD_SIZE + 114) >> 1] ?? 0;
  }

  /** Differs from `zone` where a rule gave a zone to one direction only. */
  replyZone(at: number): number {
    return this.words[(at * RECORD_SIZE + 116) >> 1] ?? 0;
  }

  tcpState(at: number): string | null {
    return this.protocol(at) === 6 ? (TCP_STATES[this.bytes[at * RECORD_SIZE + 118] ?? 0] ?? null) : null;
  }

  event(at: number): EventName {
    return EVENTS[this.bytes[at * RECORD_SIZE + 119] ?? 0] ?? 'present';
  }

  /** errno of the question that this record was, 0 when it was answered. */
  errno(at: number): number {
    return -((this.numbers[(at * RECORD_SIZE + 120) >> 2] ?? 0) | 0);
  }

  icmp(at: number): { type: number; code: number; replyType: number; replyCode: number } {
    const start = at * RECORD_SIZE + 124;
    const [type = 0, code = 0, replyType = 0, replyCode = 0] = this.bytes.subarray(start, start + 4);
    return { type, code, replyType, replyCode };
  }

  family(at: number, endpoint: number): Family {
    return this.bytes[at * RECORD_SIZE + endpoint] === 6 ? 6 : 4;
  }

  port(at: number, endpoint: number): number {
    return this.words[(at * RECORD_SIZE + endpoint + 2) >> 1] ?? 0;
  }

  address(at: number, endpoint: number): string {
    this.writeAddress(scratch, at, endpoint);
    return scratch.take().toString('latin1');
  }

  writeAddress(writer: ByteWriter, at: number, endpoint: number): void {
    const start = at * RECORD_SIZE + endpoint;
    writer.address(this.bytes, start + 8, this.bytes[start] === 6 ? 6 : 4);
  }
}

const scratch = new ByteWriter(64);

export function protocolName(number: number): string {
  return PROTOCOLS[number] ?? String(number);
}

/** The number of a protocol that has a name here or is one itself; null for anything else. */
export function protocolNumber(name: string): number | null {
  return NUMBERS.get(name) ?? (/^[0-9]{1,3}$/.test(name) && Number(name) <= 255 ? Number(name) : null);
}

export function isIcmp(protocol: number): boolean {
  return protocol === 1 || protocol === 58;
}
