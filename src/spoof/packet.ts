/** The headers of a captured packet: RFC 791, RFC 8200, RFC 9293, RFC 768, RFC 792, RFC 4443. */

import { endpoint } from '../endpoint.ts';
import type { Endpoint, Family } from '../verdict.ts';
import type { Place } from './report.ts';

/** A packet of the watched flow, as it passed an interface. */
export interface Packet {
  interface: string;
  /** overheard: it came in, but its link-layer destination is another machine. */
  direction: 'out' | 'in' | 'overheard';
  kind: 'syn' | 'syn-ack' | 'rst' | 'segment' | 'datagram' | 'icmp-error';
  /** Of the packet itself. The port is 0 in an ICMP error, which has none. */
  from: Place;
  to: Place;
  /** Of an ICMP error: its numbers, and the packet that it quotes. */
  icmp: { type: number; code: number; about: { from: Place; to: Place } } | null;
}

const TCP = 6;
const ICMP_HEADER = 8;

interface Header {
  family: Family;
  protocol: number;
  length: number;
  source: string;
  destination: string;
}

/** null: too short to say what it is. */
export function decodePacket(captured: {
  interface: string;
  outgoing: boolean;
  overheard: boolean;
  bytes: Buffer;
}): Packet | null {
  const { bytes } = captured;
  const header = networkHeader(bytes);
  if (header === null) return null;
  const seen = {
    interface: captured.interface,
    direction: captured.outgoing ? 'out' : captured.overheard ? 'overheard' : 'in',
  } as const;
  const rest = bytes.subarray(header.length);
  if (isIcmp(header)) {
    const about = rest.length < ICMP_HEADER ? null : ends(rest.subarray(ICMP_HEADER));
    if (about === null) return null;
    return {
      ...seen,
      kind: 'icmp-error',
      from: { address: header.source, port: 0 },
      to: { address: header.destination, port: 0 },
      icmp: { type: rest.readUInt8(0), code: rest.readUInt8(1), about },
    };
  }
  const between = ends(bytes);
  if (between === null) return null;
  const kind = header.protocol === TCP ? segmentKind(rest) : 'datagram';
  return { ...seen, kind, ...between, icmp: null };
}

function isIcmp({ family, protocol }: Header): boolean {
  return protocol === (family === 4 ? 1 : 58);
}

function networkHeader(bytes: Buffer): Header | null {
  const version = bytes.length === 0 ? 0 : bytes.readUInt8(0) >> 4;
  if (version === 4 && bytes.length >= 20) {
    return {
      family: 4,
      protocol: bytes.readUInt8(9),
      length: (bytes.readUInt8(0) & 0xf) * 4,
      source: ipv4(bytes, 12),
      destination: ipv4(bytes, 16),
    };
  }
  if (version === 6 && bytes.length >= 40) {
    return {
      family: 6,
      protocol: bytes.readUInt8(6),
      length: 40,
      source: ipv6(bytes, 8),
      destination: ipv6(bytes, 24),
    };
  }
  return null;
}

/** Both ends of a TCP or UDP packet: the ports stand at the same place in both. */
function ends(bytes: Buffer): { from: Place; to: Place } | null {
  const header = networkHeader(bytes);
  if (header === null || bytes.length < header.length + 4) return null;
  return {
    from: { address: header.source, port: bytes.readUInt16BE(header.length) },
    to: { address: header.destination, port: bytes.readUInt16BE(header.length + 2) },
  };
}

function segmentKind(segment: Buffer): Packet['kind'] {
  const flags = segment.length < 14 ? 0 : segment.readUInt8(13);
  if (flags & 0x04) return 'rst';
  if ((flags & 0x12) === 0x12) return 'syn-ack';
  return flags & 0x02 ? 'syn' : 'segment';
}

function ipv4(bytes: Buffer, at: number): string {
  return bytes.subarray(at, at + 4).join('.');
}

function ipv6(bytes: Buffer, at: number): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(at + 2 * index).toString(16));
  return endpoint(groups.join(':'), 0).address;
}

export function isFrom(packet: { from: Place }, end: Endpoint | Place): boolean {
  return packet.from.address === end.address && packet.from.port === end.port;
}

export function isTo(packet: { to: Place }, end: Endpoint | Place): boolean {
  return packet.to.address === end.address && packet.to.port === end.port;
}
