/**
 * One line of `lookup --stdin`: `PROTOCOL PEER LOCAL [ZONE]`, or a JSON object with these. It becomes a
 * question in the form in which the addon takes it (native/flows.h).
 */

import { writeIPv4, writeIPv6 } from '../table/address-bytes.ts';
import {
  protocolNumber,
  RECORD_SIZE,
  REPLY_DESTINATION,
  REPLY_SOURCE,
  type Records,
} from '../table/record.ts';

/** Protocols whose entries have ports. */
const WITH_PORTS = [6, 17, 33, 132, 136];
const EXAMPLE = 'tcp 10.0.0.5:51234 192.168.0.1:8110';

/**
 * Writes the question into `records[at]`. The whole record is written: it may hold an older answer.
 * @throws {SyntaxError} with a sentence that names what is wrong
 */
export function readTuple(line: string, defaultZone: number, records: Records, at: number): void {
  const [protocol, peer, local, zone] = line[0] === '{' ? fromJson(line) : fromWords(line);
  const start = at * RECORD_SIZE;
  records.bytes.fill(0, start, start + RECORD_SIZE);
  const number = protocolNumber(protocol);
  if (number === null || !WITH_PORTS.includes(number)) {
    throw new SyntaxError(`'${protocol}' is not tcp, udp, sctp, dccp or udplite`);
  }
  const [first, second] = [
    writeEndpoint(records, start + REPLY_DESTINATION, peer),
    writeEndpoint(records, start + REPLY_SOURCE, local),
  ];
  if (first !== second) throw new SyntaxError('the two addresses are of different families');
  records.words[(start + 112) >> 1] = number;
  records.words[(start + 114) >> 1] = zone === undefined ? defaultZone : readZone(zone);
}

type Words = [protocol: string, peer: string, local: string, zone: string | undefined];

function fromWords(line: string): Words {
  const words =
    line.includes('\t') || line.includes('  ') ? line.trim().split(/[ \t]+/) : line.trim().split(' ');
  const [protocol, peer, local, zone] = words;
  if (local === undefined || words.length > 4 || protocol === undefined || peer === undefined) {
    throw new SyntaxError(`the line is not PROTOCOL PEER LOCAL [ZONE], e.g. ${EXAMPLE}`);
  }
  return [protocol, peer, local, zone];
}

function fromJson(line: string): Words {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new SyntaxError(`the line is no JSON object: ${(error as Error).message}`);
  }
  const { protocol, peer, local, zone } = value;
  if (typeof protocol !== 'string') throw new SyntaxError('the object has no protocol');
  if (zone !== undefined && typeof zone !== 'number') throw new SyntaxError('zone is not a number');
  return [
    protocol,
    place(peer, 'peer'),
    place(local, 'local'),
    zone === undefined ? undefined : String(zone),
  ];
}

/** `"ADDRESS:PORT"`, or `{address, port}` as the answers have it. */
function place(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  const { address, port } = (value ?? {}) as Record<string, unknown>;
  if (typeof address !== 'string' || typeof port !== 'number') {
    throw new SyntaxError(`${name} is neither "ADDRESS:PORT" nor {"address", "port"}`);
  }
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function readZone(text: string): number {
  const zone = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(zone <= 65535)) throw new SyntaxError(`zone '${text}' is not from 0 to 65535`);
  return zone;
}

/** Writes an endpoint at a byte offset and answers its family. An IPv4-mapped address is IPv4. */
function writeEndpoint(records: Records, start: number, text: string): 4 | 6 {
  const colon = text.lastIndexOf(':');
  const port = text.slice(colon + 1);
  const number = /^[0-9]{1,5}$/.test(port) ? Number(port) : 0;
  if (colon === -1) throw new SyntaxError(`'${text}' is not ADDRESS:PORT or [IPV6]:PORT`);
  if (number < 1 || number > 65535) throw new SyntaxError(`port '${port}' is not from 1 to 65535`);
  const { bytes, words } = records;
  words[(start + 2) >> 1] = number;
  const six = text[0] === '[' && text[colon - 1] === ']';
  const address = six ? text.slice(1, colon - 1) : text.slice(0, colon);
  if (six ? !writeIPv6(bytes, start + 8, address) : !writeIPv4(bytes, start + 8, address)) {
    throw new SyntaxError(`'${address}' is not an IPv${six ? 6 : 4} address`);
  }
  const mapped = six && isMapped(bytes, start + 8);
  if (mapped) {
    bytes.copyWithin(start + 8, start + 20, start + 24);
    bytes.fill(0, start + 12, start + 24);
  }
  const family = six && !mapped ? 6 : 4;
  bytes[start] = family;
  return family;
}

function isMapped(bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < 10; index++) if (bytes[at + index] !== 0) return false;
  return bytes[at + 10] === 0xff && bytes[at + 11] === 0xff;
}
