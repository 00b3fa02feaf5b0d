/** The answers to a connection from a foreign address must be kept by this host: Documentation/networking/tproxy.rst. */

import { isIP } from 'node:net';
import type { Packet } from '../host/packet.ts';
import { decide } from '../host/policy-routes.ts';
import { walk } from '../host/walk.ts';
import type { HostSocket } from '../native.ts';
import type { Family } from '../verdict.ts';
import type { Check, Problem, Severity } from './finding.ts';
import { localDelivery } from './policy-route.ts';
import { policyRoute, socketRule, usableMark } from './remedies.ts';
import { problem, type Situation } from './situation.ts';

/** One spoofed connection: asked about, or found waiting for its answer. */
export interface Spoof {
  family: Family;
  source: string;
  destination: { address: string; port: number } | undefined;
  /** A socket of this host that waits for the answer now. */
  waiting: boolean;
}

export const spoofedReply: Check<Situation> = {
  name: 'spoofed-reply',
  run(situation) {
    if (situation.readings.rules.unread.length > 0) return [];
    return spoofs(situation).flatMap((spoof) => kept(situation, spoof) ?? []);
  },
};

/** The connections from foreign addresses that are asked about. */
export function spoofs(situation: Situation): Spoof[] {
  const { source, destination } = situation;
  const waiting = situation.unansweredSpoofs().map(fromSocket);
  const foreign = waiting.filter((one) => !situation.isOwn(one.source));
  if (foreign.length > 0) return distinct(foreign);
  if (source === undefined || situation.isOwn(source)) return [];
  return [{ family: isIP(source) === 6 ? 6 : 4, source, destination, waiting: false }];
}

function fromSocket({ local, peer }: HostSocket): Spoof {
  return { family: local.family, source: local.address, destination: peer, waiting: true };
}

function distinct(all: readonly Spoof[]): Spoof[] {
  return [...new Map(all.map((one) => [`${one.source} ${one.destination?.address}`, one])).values()];
}

/** The reply as it comes in: for a transparent socket of this host. */
export function reply({ protocol }: Situation, { family, source, destination }: Spoof): Packet {
  return {
    family,
    protocol,
    saddr: destination?.address,
    sport: destination?.port,
    daddr: source,
    dport: undefined,
    mark: 0,
    socket: true,
    state: 'established',
  };
}

/** Why this host does not keep the reply; null when it does, or when that cannot be told. */
export function kept(situation: Situation, spoof: Spoof): Problem | null {
  const { family, source } = spoof;
  const routing = situation.routing(family);
  const packet = reply(situation, spoof);
  const way = walk(situation.readings.rules, 'prerouting', packet);
  const arrived = { ...packet, mark: way.mark };
  const decision = decide(routing, arrived);
  if (routing.unread.length > 0 || decision === 'unknown' || decision?.route.type === 'local') return null;
  const severity: Severity = spoof.waiting || situation.isSpoof ? 'error' : 'info';
  const marking = way.visits.findLast(({ rule }) => rule.actions.some(({ kind }) => kind === 'mark'));
  if (marking !== undefined && way.mark !== 0) {
    const found = localDelivery(routing, family, arrived, marking.rule);
    return found === null
      ? null
      : { ...found, severity: way.markKnown || severity === 'info' ? severity : 'warning' };
  }
  const mark = usableMark(routing);
  const probe = { ...packet, mark };
  const route = decide(routing, probe);
  const routed = route !== null && route !== 'unknown' && route.route.type === 'local';
  const commands = [socketRule([family], situation.protocol, mark)];
  if (!routed) commands.push(policyRoute(family, mark, routing));
  return problem('no-socket-rule', severity, family, {
    cause:
      `No rule recognises the answers to connections from ${source} as this host’s own (nft: socket transparent; iptables: -m socket): ` +
      'they are forwarded to the real owner of that address, or dropped.',
    remedy: commands.join(' && '),
    evidence: [...situation.ruleSteps, ...routing.steps],
  });
}
