/** `--peer` and `--original` of flows: an address, a network, a port, or an address with a port. */

import type { Family } from '../verdict.ts';
import { writeIPv4, writeIPv6 } from './address-bytes.ts';
import { RECORD_SIZE, type Records } from './record.ts';

export interface Place {
  /** null: any address. */
  family: Family | null;
  bytes: Uint8Array;
  /** Length of the network's prefix in bits. */
  prefix: number;
  /** null: any port. */
  port: number | null;
}

/**
 * `192.0.2.1`, `192.0.2.1:80`, `192.0.2.0/24`, `[2001:db8::1]:80`, `2001:db8::/32`, `:80`
 * @throws {SyntaxError} with a sentence that names what is wrong
 */
export function parsePlace(text: string): Place {
  const match = /^(?:\[([^\]]*)\]|((?:[^:]*:){2,}[^\]]*)|([^:]*))(?::([0-9]+))?$/.exec(text);
  const network = match?.[1] ?? match?.[2] ?? match?.[3];
  if (match === null || network === undefined || text === '') throw notPlace(text);
  const port = match[4] === undefined ? null : Number(match[4]);
  if (port !== null && (port < 1 || port > 65535)) {
    throw new SyntaxError(`port ${match[4]} is not from 1 to 65535`);
  }
  const bytes = new Uint8Array(16);
  if (network === '') return { family: null, bytes, prefix: 0, port };
  const [address = '', length, ...more] = network.split('/');
  const family = network.includes(':') ? 6 : 4;
  const known = family === 6 ? writeIPv6(bytes, 0, address) : writeIPv4(bytes, 0, address);
  if (!known || more.length > 0) throw notPlace(text);
  const bits = family === 6 ? 128 : 32;
  const prefix = length === undefined ? bits : /^[0-9]{1,3}$/.test(length) ? Number(length) : Number.NaN;
  if (!(prefix <= bits)) throw new SyntaxError(`/${length} is not from /0 to /${bits}`);
  return { family, bytes, prefix, port };
}

function notPlace(text: string): SyntaxError {
  return new SyntaxError(`'${text}' is not ADDRESS, ADDRESS/LENGTH, ADDRESS:PORT, [IPV6]:PORT or :PORT`);
}

export function isAt(records: Records, at: number, endpoint: number, place: Place): boolean {
  if (place.port !== null && records.port(at, endpoint) !== place.port) return false;
  if (place.family === null) return true;
  const start = at * RECORD_SIZE + endpoint;
  return (
    records.family(at, endpoint) === place.family &&
    startsAlike(records.bytes, start + 8, place.bytes, place.prefix)
  );
}

function startsAlike(bytes: Uint8Array, start: number, network: Uint8Array, prefix: number): boolean {
  const whole = prefix >> 3;
  for (let index = 0; index < whole; index++) if (bytes[start + index] !== network[index]) return false;
  const mask = (0xff00 >> (prefix & 7)) & 0xff;
  return mask === 0 || ((bytes[start + whole] ?? 0) & mask) === ((network[whole] ?? 0) & mask);
}
