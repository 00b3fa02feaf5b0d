/** `--address`: an address of this host, with words for everything that is none. */

import { isIP } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { ExitCode, Failure } from '../exit-codes.ts';
import type { Endpoint } from '../verdict.ts';

/** @throws {Failure} (usage) for an interface, a host name, or an interface that is not there. */
export function parseListenAddress(text: string, port: number): Endpoint {
  const interfaces = networkInterfaces();
  const [address = '', zone] = text.split('%', 2);
  const family = isIP(address);
  if (family === 0) throw new Failure(ExitCode.usage, noAddress(text, interfaces), 'ip -brief address');
  if (zone === undefined) return { address, port, family: family as 4 | 6 };
  return { address, port, family: 6, scope: interfaceIndex(zone, interfaces) };
}

/** Every address of this network namespace. */
export function ownAddresses(): Set<string> {
  return new Set(
    Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .map(({ address }) => address),
  );
}

type Interfaces = NodeJS.Dict<NetworkInterfaceInfo[]>;

function noAddress(text: string, interfaces: Interfaces): string {
  const own = interfaces[text];
  if (own === undefined) return `'${text}' is neither an address nor an interface of this host`;
  return `'${text}' is an interface; give one of its addresses: ${own.map(({ address }) => address).join(', ')}`;
}

function interfaceIndex(name: string, interfaces: Interfaces): number {
  const scoped = interfaces[name]?.find((info) => info.family === 'IPv6' && info.scopeid !== 0);
  if (scoped?.family === 'IPv6' && scoped.scopeid) return scoped.scopeid;
  const known = Object.keys(interfaces).join(', ');
  throw new Failure(
    ExitCode.usage,
    interfaces[name] === undefined
      ? `there is no interface '${name}' that is up; there are: ${known}`
      : `interface '${name}' has no link-local address`,
    'ip -brief address',
  );
}
