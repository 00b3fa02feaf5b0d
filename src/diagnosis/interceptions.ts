/** The rules that take connections away from their destination, each with a packet that it is meant for. */

import type { Answer, Packet } from '../host/packet.ts';
import { inRanges, matches } from '../host/packet.ts';
import type { Action, BaseChain, Rule, Ruleset } from '../host/rule.ts';
import { chainsOf, type Visit, walk } from '../host/walk.ts';
import type { Family, Protocol } from '../verdict.ts';

export type InterceptAction = Action & { kind: 'redirect' | 'dnat' | 'tproxy' };

export interface Interception {
  rule: Rule;
  base: BaseChain;
  action: InterceptAction;
  family: Family;
  /** A packet that the rule is for, as it comes in. */
  packet: Packet;
  /** The port that it is sent to; null where the rule computes it. */
  port: number | null;
  /** The address that it is sent to; null: one of the interface that it came in by. */
  address: string | null;
  /** The mark that the packet has when it is routed, and whether that is certain. */
  mark: number;
  markKnown: boolean;
  /** Does the packet get as far as this rule? `no`: `before` ends its way. */
  reached: Answer;
  before: Visit | null;
}

const HOOKS = ['prerouting', 'output'] as const;

/** @param about the packet that is asked about; fields that it leaves open are taken from each rule */
export function interceptions(
  ruleset: Ruleset,
  about: {
    family: Family;
    protocol: Protocol;
    saddr?: string | undefined;
    daddr?: string | undefined;
    dport?: number | undefined;
  },
): Interception[] {
  return HOOKS.flatMap((hook) =>
    chainsOf(ruleset, hook, about).flatMap((base) =>
      rulesFrom(ruleset, base).flatMap((rule) =>
        rule.actions.filter(isIntercepting).map((action) => interception(ruleset, base, rule, action, about)),
      ),
    ),
  ).filter((one) => one !== null);
}

function isIntercepting(action: Action): action is InterceptAction {
  return action.kind === 'redirect' || action.kind === 'dnat' || action.kind === 'tproxy';
}

/** The rules of a base chain and of the chains that it leads to. */
function rulesFrom(ruleset: Ruleset, base: BaseChain): Rule[] {
  const chains = new Set([base.chain]);
  const own = ruleset.rules.filter(
    ({ tool, family, table }) => tool === base.tool && family === base.family && table === base.table,
  );
  for (const chain of chains) {
    for (const rule of own.filter((one) => one.chain === chain)) {
      for (const action of rule.actions) if ('chain' in action) chains.add(action.chain);
    }
  }
  return own.filter(({ chain }) => chains.has(chain));
}

function interception(
  ruleset: Ruleset,
  base: BaseChain,
  rule: Rule,
  action: InterceptAction,
  about: Parameters<typeof interceptions>[1],
): Interception | null {
  const packet: Packet = {
    ...about,
    dport: about.dport ?? firstPort(rule),
    iif: undefined,
    mark: 0,
    socket: false,
    state: 'new',
  };
  if (!concerns(rule, packet)) return null;
  const way = walk(ruleset, base.hook, packet, rule);
  const at = way.visits.findIndex((visit) => visit.rule === rule);
  const ended = way.visits.findLast(({ match, rule: { actions } }) => match === 'yes' && actions.some(ends));
  return {
    rule,
    base,
    action,
    family: about.family,
    packet,
    port: action.port ?? packet.dport ?? null,
    address: action.kind === 'redirect' ? null : action.address,
    mark: way.mark,
    markKnown: way.markKnown,
    reached: at === -1 ? 'no' : 'yes',
    before: at === -1 ? (ended ?? null) : null,
  };
}

function ends(action: Action): boolean {
  return (
    ['accept', 'drop', 'return', 'redirect', 'dnat'].includes(action.kind) ||
    (action.kind === 'tproxy' && action.terminal)
  );
}

/** Does the rule choose such packets, by what is known of them? Marks and sockets depend on the rules before it. */
function concerns(rule: Rule, packet: Packet): boolean {
  const known = rule.conditions.filter(({ kind }) => ADDRESSING.has(kind));
  return matches({ ...rule, conditions: known }, packet) !== 'no';
}

const ADDRESSING = new Set(['family', 'protocol', 'saddr', 'daddr', 'dport', 'sport']);

/** A destination port that a rule takes; undefined: any. */
export function firstPort(rule: Rule): number | undefined {
  const ports = rule.conditions.find(({ kind }) => kind === 'dport');
  return ports?.kind === 'dport' && !ports.negated ? ports.ranges[0]?.[0] : undefined;
}

/** `80`, `80,443`, `1000-2000`; null: the rule does not choose by port. */
export function portsOf(rule: Rule): string | null {
  const ports = rule.conditions.find(({ kind }) => kind === 'dport');
  if (ports?.kind !== 'dport') return null;
  const words = ports.ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
  return ports.negated ? `not ${words}` : words;
}

export function takesPort(rule: Rule, port: number): boolean {
  return rule.conditions.every(
    (condition) => condition.kind !== 'dport' || inRanges(port, condition.ranges) !== condition.negated,
  );
}
