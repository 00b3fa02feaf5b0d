/** The packets of a proof as text: `inside  in   192.0.2.2:40000 > 198.51.100.2:80  tcp SYN`. */

import { endpoint, formatEndpoint } from '../endpoint.ts';
import type { Native } from '../native.ts';
import { LabError, type LabHost } from './host.ts';

/** Watches all interfaces of one machine. */
export class PacketWatch {
  readonly #native: Native;
  readonly #fd: number;

  /** @throws {LabError} where the kernel has no packet sockets */
  constructor(native: Native, host: LabHost) {
    const { fd, steps } = native.openCapture(host.netns);
    const step = steps.at(-1) ?? null;
    if (fd === null)
      throw new LabError(`packets cannot be watched: socket AF_PACKET says ${step?.errorName}`, step);
    this.#native = native;
    this.#fd = fd;
  }

  /** What has passed since the last call. */
  read(): string[] {
    const lines: string[] = [];
    for (;;) {
      const packet = this.#native.readCapture(this.#fd);
      if (packet === null) return lines;
      const text = describePacket(packet.bytes);
      if (text !== null)
        lines.push(`${packet.interface.padEnd(8)}${packet.outgoing ? 'out' : 'in '}  ${text}`);
    }
  }

  close(): void {
    this.#native.close(this.#fd);
  }
}

const TCP = 6;
const UDP = 17;
/** RFC 9293, section 3.1; the low bit first. */
const FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'];

/** null for what is no TCP or UDP packet over IPv4 or IPv6: neighbour discovery and the like. */
export function describePacket(bytes: Buffer): string | null {
  const header = ipHeader(bytes);
  if (header === null || bytes.length < header.length + (header.protocol === TCP ? 20 : 8)) return null;
  const { source, destination, protocol, length } = header;
  const from = formatEndpoint(endpoint(source, bytes.readUInt16BE(length)));
  const to = formatEndpoint(endpoint(destination, bytes.readUInt16BE(length + 2)));
  const payload = header.total - length;
  if (protocol === UDP) return `${from} > ${to}  udp ${payload - 8} bytes`;
  if (protocol !== TCP) return null;
  const flags = bytes.readUInt8(length + 13);
  const names = FLAGS.filter((_, bit) => flags & (1 << bit)).join(' ');
  const data = payload - (bytes.readUInt8(length + 12) >> 4) * 4;
  return `${from} > ${to}  tcp ${names}${data > 0 ? ` ${data} bytes` : ''}`;
}

interface IpHeader {
  source: string;
  destination: string;
  protocol: number;
  /** Of the header. */
  length: number;
  /** Of the packet, header included. */
  total: number;
}

function ipHeader(bytes: Buffer): IpHeader | null {
  const version = bytes.length === 0 ? 0 : bytes.readUInt8(0) >> 4;
  if (version === 4 && bytes.length >= 20) {
    return {
      source: bytes.subarray(12, 16).join('.'),
      destination: bytes.subarray(16, 20).join('.'),
      protocol: bytes.readUInt8(9),
      length: (bytes.readUInt8(0) & 15) * 4,
      total: bytes.readUInt16BE(2),
    };
  }
  // The lab sends no extension headers.
  if (version === 6 && bytes.length >= 40) {
    return {
      source: ipv6Text(bytes.subarray(8, 24)),
      destination: ipv6Text(bytes.subarray(24, 40)),
      protocol: bytes.readUInt8(6),
      length: 40,
      total: bytes.readUInt16BE(4) + 40,
    };
  }
  return null;
}

function ipv6Text(bytes: Buffer): string {
  return (bytes.toString('hex').match(/.{4}/g) ?? []).join(':');
}
