/** Addresses with ports, as people write them: `192.0.2.1:80` and `[2001:db8::1]:80`. */

import { isIP, SocketAddress } from 'node:net';
import type { Endpoint } from './verdict.ts';

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * Reads `ADDRESS:PORT`. IPv6 needs brackets, or the colons would be ambiguous. An IPv4-mapped
 * address becomes IPv4, IPv6 its canonical spelling (RFC 5952).
 * @throws {SyntaxError} with a sentence that names what is wrong.
 */
export function parseEndpoint(text: string): Endpoint {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):([0-9]+)$/.exec(text);
  if (match === null) {
    const hint = isIP(text) === 0 ? '' : `; a port is missing, e.g. ${withPort(text, 80)}`;
    throw new SyntaxError(`'${text}' is not ADDRESS:PORT or [IPV6]:PORT${hint}`);
  }
  const address = match[1] ?? match[2] ?? '';
  const port = Number(match[3]);
  if (port < 1 || port > 65535) throw new SyntaxError(`port ${match[3]} is not from 1 to 65535`);
  const wanted = match[1] === undefined ? 4 : 6;
  if (isIP(address) !== wanted || address.includes('%')) {
    throw new SyntaxError(`'${address}' is not an IPv${wanted} address`);
  }
  return endpoint(address, port);
}

/** Makes an endpoint of an address that is already known to be one. */
export function endpoint(address: string, port: number): Endpoint {
  const mapped = MAPPED.exec(address);
  if (mapped?.[1] !== undefined) return { address: mapped[1], port, family: 4 };
  if (isIP(address) === 4) return { address, port, family: 4 };
  const canonical = new SocketAddress({ address, family: 'ipv6', port });
  const inner = MAPPED.exec(canonical.address);
  if (inner?.[1] !== undefined) return { address: inner[1], port, family: 4 };
  return { address: canonical.address, port, family: 6 };
}

export function formatEndpoint(of: Endpoint): string {
  return withPort(of.address, of.port);
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.address === b.address && a.port === b.port;
}

function withPort(address: string, port: number): string {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}
