/** What the command line asks for, checked before anything is tried. */

import { BlockList, isIP } from 'node:net';
import { endpoint, parseEndpoint } from '../endpoint.ts';
import { ExitCode, Failure } from '../exit-codes.ts';
import type { Namespace } from '../host/namespaces.ts';
import type { Endpoint, MechanismName, Protocol } from '../verdict.ts';

export interface SpoofRequest {
  /** Port 0: any free one. */
  source: Endpoint;
  target: Endpoint;
  protocol: Protocol;
  /** How the foreign address is taken. */
  mechanism: MechanismName;
  send: string | null;
  expect: string | null;
  timeoutMs: number;
  /** null: this process's own. */
  netns: Namespace | null;
}

/** `192.0.2.2`, `192.0.2.2:4000`, `2001:db8::2`, `[2001:db8::2]:4000`. @throws {SyntaxError} */
export function parseSource(text: string): Endpoint {
  const bare = /^\[([^\]]*)\]$/.exec(text)?.[1] ?? text;
  return isIP(bare) === 0 || bare.includes('%') ? parseEndpoint(text) : endpoint(bare, 0);
}

/** Neither end of a connection: RFC 1122 section 3.2.1.3, RFC 4291 sections 2.5.2, 2.5.6 and 2.7. */
const NO_PEER = new BlockList();
NO_PEER.addSubnet('0.0.0.0', 8);
NO_PEER.addSubnet('224.0.0.0', 4);
NO_PEER.addAddress('255.255.255.255');
NO_PEER.addAddress('::', 'ipv6');
NO_PEER.addSubnet('ff00::', 8, 'ipv6');
/** Their interface would have to be named, and replies to them do not cross a router. */
const LINK_LOCAL = new BlockList();
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6');

/** @throws {Failure} (usage) */
export function checkRequest({ source, target, protocol, mechanism, send, expect }: SpoofRequest): void {
  for (const [name, { address, family }] of Object.entries({ source, target })) {
    const kind = family === 4 ? 'ipv4' : 'ipv6';
    if (NO_PEER.check(address, kind)) wrong(`the ${name} ${address} is no address of a single host`);
    if (LINK_LOCAL.check(address, kind)) {
      wrong(`the ${name} ${address} is link-local: an address that is routed is needed`);
    }
  }
  if (source.family !== target.family) {
    wrong(`the source ${source.address} and the target ${target.address} are of different families`);
  }
  if (mechanism === 'tproxy2' && source.family === 6) wrong('--mechanism tproxy2 knows IPv4 only');
  if (expect === '') wrong('--expect is empty: anything would contain it');
  if (protocol === 'udp' && send === null) {
    wrong("--protocol udp needs --send TEXT: without a datagram nothing happens ('' sends an empty one)");
  }
}

function wrong(sentence: string): never {
  throw new Failure(ExitCode.usage, sentence);
}
