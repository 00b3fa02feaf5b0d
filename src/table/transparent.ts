/**
 * What TPROXY gave away: the kernel keeps no record of it, only sockets whose local address is the
 * original destination. A socket that spoofs its client looks alike, and runs the other way.
 */

import { networkInterfaces } from 'node:os';
import { endpoint } from '../endpoint.ts';
import type { HostSocket, Native } from '../native.ts';
import type { Family, Protocol, Step } from '../verdict.ts';
import { writeIPv4, writeIPv6 } from './address-bytes.ts';
import { type FlowFilter, matches } from './filter.ts';
import type { Flow } from './flow.ts';
import {
  DST_NAT,
  ENDPOINT_SIZE,
  ORIGINAL_DESTINATION,
  ORIGINAL_SOURCE,
  RECORD_SIZE,
  REPLY_DESTINATION,
  REPLY_SOURCE,
  Records,
} from './record.ts';

const LISTEN = 10;
const UDP_CLOSED = 7;
const PROTOCOLS: readonly [Protocol, number][] = [
  ['tcp', 6],
  ['udp', 17],
];

export function transparentFlows(
  native: Native,
  filter: FlowFilter,
  netns: number | null,
  evidence: Step[],
): Flow[] {
  const own = ownAddresses(native, netns);
  const candidates = PROTOCOLS.flatMap(([protocol]) =>
    ([4, 6] as Family[]).flatMap((family) => {
      const { sockets, steps } = native.sockets(family, protocol, netns ?? undefined);
      evidence.push(...steps);
      return sockets.filter(
        (socket) => isConnected(socket) && socket.transparent && !own.has(socket.local.address),
      );
    }),
  );
  if (candidates.length === 0) return [];
  const asked = questions(candidates);
  const answers = new Records(candidates.length);
  answers.bytes.set(asked.bytes);
  evidence.push(...native.lookupEntries(answers.bytes, netns ?? undefined));
  return candidates
    .filter((_, at) => matches(filter, asked, at) && !isOutgoing(asked, answers, at))
    .map(toFlow);
}

function isConnected(socket: HostSocket): boolean {
  return socket.state !== LISTEN && socket.state !== UDP_CLOSED && socket.peer.port !== 0;
}

function ownAddresses(native: Native, netns: number | null): Set<string> {
  const read = () => Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const addresses = netns === null ? read() : native.inNamespace(netns, read);
  return new Set(addresses.map(({ address }) => endpoint(address, 0).address));
}

/** As entries, so that the same filter fits: nothing is translated, and all of it was meant. */
function questions(sockets: readonly HostSocket[]): Records {
  const records = new Records(sockets.length);
  for (const [at, { protocol, local, peer }] of sockets.entries()) {
    const start = at * RECORD_SIZE;
    records.words[(start + 112) >> 1] = protocol === 'udp' ? 17 : 6;
    records.numbers[(start + 96) >> 2] = DST_NAT;
    for (const [offset, place] of [
      [ORIGINAL_SOURCE, peer],
      [ORIGINAL_DESTINATION, local],
      [REPLY_SOURCE, local],
      [REPLY_DESTINATION, peer],
    ] as const) {
      records.bytes[start + offset] = place.family;
      records.words[(start + offset + 2) >> 1] = place.port;
      const write = place.family === 6 ? writeIPv6 : writeIPv4;
      write(records.bytes, start + offset + ENDPOINT_SIZE - 16, place.address);
    }
  }
  records.count = sockets.length;
  return records;
}

/** Connection tracking, where there is any, knows who began. */
function isOutgoing(asked: Records, answers: Records, at: number): boolean {
  return (
    answers.errno(at) === 0 &&
    answers.address(at, ORIGINAL_SOURCE) === asked.address(at, REPLY_SOURCE) &&
    answers.port(at, ORIGINAL_SOURCE) === asked.port(at, REPLY_SOURCE)
  );
}

function toFlow({ protocol, local, peer }: HostSocket): Flow {
  const [here, client] = [
    { address: local.address, port: local.port },
    { address: peer.address, port: peer.port },
  ];
  return {
    protocol,
    peer: client,
    local: here,
    client,
    original: here,
    verdict: 'inferred',
    nat: null,
    mechanism: 'tproxy4',
    zone: 0,
    replyZone: 0,
    state: null,
    assured: false,
    replied: false,
    mark: 0,
    timeout: null,
    id: null,
    icmp: null,
  };
}
