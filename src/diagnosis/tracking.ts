/** Connection tracking does not see the redirected connection, or keeps it where no one looks. */

import type { Packet } from '../host/packet.ts';
import { type Visit, walk } from '../host/walk.ts';
import type { Check, Problem, Severity } from './finding.ts';
import type { Interception } from './interceptions.ts';
import { isNotrack } from './notrack.ts';
import { bare, deleteRules } from './remedies.ts';
import { problem, type Situation } from './situation.ts';

export const tracking: Check<Situation> = {
  name: 'tracking',
  run(situation) {
    return situation.families.flatMap((family) => {
      for (const one of situation.relevant(family)) {
        if (one.action.kind === 'tproxy') continue;
        const visits = met(situation, one);
        const exempt = visits.filter(({ rule }) => isNotrack(rule));
        if (exempt.length > 0) return [notTracked(situation, one, exempt)];
        const zoned = visits.filter(({ rule }) => zoneOf(rule.actions) !== 0);
        if (zoned.length > 0) return [otherZone(situation, one, zoned)];
      }
      return [];
    });
  },
};

/** Rules that the connection's packets meet before they are tracked: of the client's, and of the answers. */
function met(situation: Situation, { base, packet, port, address }: Interception): Visit[] {
  const answer: Packet = {
    ...packet,
    saddr: address ?? undefined,
    sport: port ?? undefined,
    daddr: packet.saddr,
    dport: undefined,
  };
  const { rules } = situation.readings;
  return [...walk(rules, base.hook, packet).visits, ...walk(rules, 'output', answer).visits];
}

/** SO_ORIGINAL_DST searches zone 0 only: getorigdst in net/netfilter/nf_conntrack_proto.c. */
function zoneOf(actions: readonly { kind: string; zone?: number | null }[]): number | null {
  const zone = actions.find(({ kind }) => kind === 'zone');
  return zone === undefined ? 0 : (zone.zone ?? null);
}

function notTracked(situation: Situation, one: Interception, visits: readonly Visit[]): Problem {
  return problem('not-tracked', certain(visits), one.family, {
    cause: `${named(visits)} exempts packets from connection tracking, and “${bare(one.rule)}” is NAT, which needs it: they are not redirected, or not answered.`,
    remedy: `${deleteRules(visits.map(({ rule }) => rule))}   # or narrow it, so that it spares port ${one.packet.dport ?? 'N'} and the answers from port ${one.port ?? 'N'}`,
    evidence: situation.ruleSteps,
  });
}

function otherZone(situation: Situation, one: Interception, visits: readonly Visit[]): Problem {
  return problem('other-zone', certain(visits), one.family, {
    cause: `${named(visits)} puts connections into a conntrack zone of their own, and SO_ORIGINAL_DST searches zone 0 only: a proxy cannot learn their destination.`,
    remedy: `${deleteRules(visits.map(({ rule }) => rule))}   # or narrow it, so that it spares port ${one.packet.dport ?? 'N'}`,
    evidence: situation.ruleSteps,
  });
}

/** A rule that only may match is a warning. */
function certain(visits: readonly Visit[]): Severity {
  return visits.some(({ match }) => match === 'yes') ? 'error' : 'warning';
}

function named(visits: readonly Visit[]): string {
  const rules = new Set(visits.map(({ rule }) => `“${bare(rule)}”`));
  return `A rule (${[...rules].join(', ')})`;
}
