/** A rule that intercepts is never reached, or another one takes the same connections elsewhere. */

import { matches } from '../host/packet.ts';
import type { RuleTool } from '../host/rule.ts';
import type { Check, Problem } from './finding.ts';
import type { Interception } from './interceptions.ts';
import { bare, deleteRule, insertRule } from './remedies.ts';
import { problem, type Situation } from './situation.ts';

export const ruleShadowed: Check<Situation> = {
  name: 'rule-shadowed',
  run(situation) {
    for (const family of situation.families) {
      for (const one of situation.relevant(family)) {
        const rival = situation.interceptions(family).find((other) => isRival(one, other));
        if (rival !== undefined && backend(rival.rule.tool) !== backend(one.rule.tool)) {
          return [mixed(situation, one, rival)];
        }
        if (one.action.kind === 'tproxy' && one.reached !== 'no') {
          const nat = situation.interceptions(family).find((other) => isNatAfter(one, other));
          if (nat !== undefined) return [natToo(situation, one, nat)];
        }
        if (one.reached === 'no' && !isTakenElsewhere(situation, one)) return [shadowed(situation, one)];
      }
    }
    return [];
  },
};

/** legacy: x_tables of its own. iptables-nft(8) writes nf_tables rules. */
function backend(tool: RuleTool): 'legacy' | 'nf_tables' {
  return tool.endsWith('-legacy') ? 'legacy' : 'nf_tables';
}

/** Does another rule take the same packets, to another place? */
function isRival(one: Interception, other: Interception): boolean {
  return (
    other.rule !== one.rule &&
    other.base.hook === one.base.hook &&
    other.port !== one.port &&
    matches(other.rule, one.packet) === 'yes'
  );
}

/** Another rule that is reached takes the same packets to the same place. */
function isTakenElsewhere(situation: Situation, { family, packet, base }: Interception): boolean {
  return situation
    .relevant(family)
    .some(
      (other) =>
        other.reached !== 'no' && other.base.hook === base.hook && other.packet.dport === packet.dport,
    );
}

/** NAT of what TPROXY already gave to a socket: the hooks of NAT come later, and see it as well. */
function isNatAfter(one: Interception, other: Interception): boolean {
  return (
    other.action.kind !== 'tproxy' &&
    other.base.hook === one.base.hook &&
    matches(other.rule, { ...one.packet, mark: one.mark }) === 'yes'
  );
}

function natToo(situation: Situation, one: Interception, nat: Interception): Problem {
  const hasListener =
    one.port !== null && situation.listeners(one.port).some(({ transparent }) => transparent);
  return problem('tproxy-and-nat', hasListener ? 'error' : 'info', one.family, {
    cause:
      `TPROXY (“${bare(one.rule)}”) and NAT (“${bare(nat.rule)}”) take the same connections: the transparent listener gets them ` +
      'with the address that NAT wrote, and not with their destination.',
    remedy: deleteRule(nat.rule),
    evidence: situation.ruleSteps,
  });
}

/**
 * Both back ends hang their chains into the same hook at the same priority, where the one registered
 * last comes first (nf_hook_entries_grow in net/netfilter/core.c): the order is not to be read anywhere.
 */
function mixed(situation: Situation, one: Interception, rival: Interception): Problem {
  return problem('mixed-backends', 'error', one.family, {
    cause:
      `Both ${one.rule.tool} (“${bare(one.rule)}”) and ${rival.rule.tool} (“${bare(rival.rule)}”) take the same connections, to port ` +
      `${one.port} and to port ${rival.port}: which one wins depends on the order in which they were loaded.`,
    remedy: deleteRule(rival.rule),
    evidence: situation.ruleSteps,
  });
}

function shadowed(situation: Situation, { rule, before, family, packet }: Interception): Problem {
  const by =
    before === null
      ? 'no rule leads them to its chain'
      : `the rule “${bare(before.rule)}” before it ends their way`;
  const sameChain =
    before !== null &&
    before.rule.tool === rule.tool &&
    before.rule.family === rule.family &&
    before.rule.table === rule.table &&
    before.rule.chain === rule.chain;
  return problem('rule-shadowed', 'error', family, {
    cause: `The rule “${bare(rule)}” is never reached by connections to port ${packet.dport}: ${by}.`,
    remedy:
      before === null || sameChain
        ? `${deleteRule(rule)} && ${insertRule(rule, rule.text)}`
        : deleteRule(before.rule),
    evidence: situation.ruleSteps,
  });
}
