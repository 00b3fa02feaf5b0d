/** The rule of this host's own NAT that changes the request on its way out, and the exemption from it. */

import { insertRule } from '../diagnosis/remedies.ts';
import type { Rule } from '../host/rule.ts';
import { readRules } from '../host/rules.ts';
import { walk } from '../host/walk.ts';
import type { Step } from '../verdict.ts';
import type { Facts } from './facts.ts';
import { exemption } from './firewall.ts';

export interface NatRule {
  cause: string;
  remedy: string;
}

/** `masquerade`, `snat to` of nft(8); `-j MASQUERADE`, `-j SNAT` of iptables-extensions(8). */
const SOURCE_NAT = /\b(masquerade|snat)\b/i;

/** The first rule that the request meets and that rewrites its source; null where none is found. */
export function sourceNat(facts: Facts, evidence: Step[]): NatRule | null {
  return find(facts, 'postrouting', ({ text }) => SOURCE_NAT.test(text), evidence);
}

/** The first rule that the request meets and that sends it elsewhere. */
export function destinationNat(facts: Facts, evidence: Step[]): NatRule | null {
  const redirects = ({ actions }: Rule) =>
    actions.some(({ kind }) => kind === 'redirect' || kind === 'dnat' || kind === 'tproxy');
  return find(facts, 'output', redirects, evidence);
}

/** In this thread's namespace. */
function find(
  { native, flow }: Facts,
  hook: string,
  test: (rule: Rule) => boolean,
  evidence: Step[],
): NatRule | null {
  const rules = readRules(native, null);
  evidence.push(...rules.steps);
  const { visits } = walk(rules, hook, {
    family: flow.local.family,
    protocol: flow.protocol,
    saddr: flow.local.address,
    sport: flow.local.port,
    daddr: flow.peer.address,
    dport: flow.peer.port,
    mark: 0,
    socket: true,
    state: 'new',
  });
  const visit = visits.find(({ rule }) => test(rule));
  if (visit === undefined) return null;
  const { rule } = visit;
  const passage = {
    from: flow.local,
    to: flow.peer,
    protocol: flow.protocol,
    mark: 0,
    state: 'new',
  } as const;
  return {
    cause: `the rule “${rule.text}” of chain ${rule.table} ${rule.chain} (${rule.tool})`,
    remedy: insertRule(rule, exemption(rule.tool, passage)),
  };
}
