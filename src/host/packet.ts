/** What is known of a packet, and whether a rule matches it: yes, no, or that it cannot be told. */

import { BlockList, isIP } from 'node:net';
import type { Family, Protocol } from '../verdict.ts';
import type { Condition, Ranges, Rule } from './rule.ts';
import { familiesOf } from './rule.ts';

/** A field that is undefined is not known. */
export interface Packet {
  family: Family;
  protocol: Protocol;
  saddr?: string | undefined;
  daddr?: string | undefined;
  sport?: number | undefined;
  dport?: number | undefined;
  iif?: string | undefined;
  mark: number;
  /** Belongs to a transparent socket of this host, as `socket transparent 1` and `-m socket` see it. */
  socket: boolean;
  /** Connection tracking calls it so: the first packet of a connection is `new`. */
  state: 'new' | 'established';
}

export type Answer = 'yes' | 'no' | 'maybe';

export function matches(rule: Rule, packet: Packet): Answer {
  if (!familiesOf(rule.family).includes(packet.family)) return 'no';
  return every(rule.conditions.map((condition) => holds(condition, packet)));
}

export function every(answers: readonly Answer[]): Answer {
  if (answers.includes('no')) return 'no';
  return answers.includes('maybe') ? 'maybe' : 'yes';
}

export function inRanges(port: number, ranges: Ranges): boolean {
  return ranges.some(([from, to]) => port >= from && port <= to);
}

function holds(condition: Condition, packet: Packet): Answer {
  switch (condition.kind) {
    case 'family':
      return decide(condition.family === packet.family, condition.negated);
    case 'protocol':
      return decide(
        condition.names.some(
          (name) => name === packet.protocol || name === 'all' || name === NUMBERS[packet.protocol],
        ),
        condition.negated,
      );
    case 'dport':
    case 'sport': {
      const port = packet[condition.kind];
      return port === undefined ? 'maybe' : decide(inRanges(port, condition.ranges), condition.negated);
    }
    case 'daddr':
    case 'saddr': {
      const address = packet[condition.kind];
      return address === undefined ? 'maybe' : decide(within(address, condition.prefixes), condition.negated);
    }
    case 'iif':
      return packet.iif === undefined
        ? 'maybe'
        : decide(named(packet.iif, condition.names), condition.negated);
    case 'oif':
    case 'owner':
    case 'other':
      return 'maybe';
    case 'mark':
      return decide((packet.mark & condition.mask) >>> 0 === condition.value, condition.negated);
    case 'socket':
      return packet.socket ? 'yes' : 'no';
    case 'state':
      return decide(condition.states.includes(packet.state), condition.negated);
  }
}

const NUMBERS: Record<Protocol, string> = { tcp: '6', udp: '17' };

function decide(holdsTrue: boolean, negated: boolean): Answer {
  return holdsTrue === negated ? 'no' : 'yes';
}

function named(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

/** Is an address within any of these: `192.0.2.1`, `192.0.2.0/24`, `192.0.2.0/255.255.255.0`? */
export function within(address: string, prefixes: readonly string[]): boolean {
  const list = new BlockList();
  for (const prefix of prefixes) {
    const [network = '', length] = prefix.split('/');
    const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
    if (isIP(network) === 0) continue;
    list.addSubnet(network, prefixLength(length, family === 'ipv6' ? 128 : 32), family);
  }
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

function prefixLength(text: string | undefined, whole: number): number {
  if (text === undefined) return whole;
  if (!text.includes('.')) return Number(text);
  return text
    .split('.')
    .map((byte) => Number(byte).toString(2).replaceAll('0', '').length)
    .reduce((sum, bits) => sum + bits, 0);
}
