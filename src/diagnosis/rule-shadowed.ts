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
        if (one.reached === 'no') return [shadowed(situation, one)];
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
  const by = before === null ? 'an earlier chain' : `the rule “${bare(before.rule)}” before it`;
  const sameChain =
    before !== null &&
    before.rule.tool === rule.tool &&
    before.rule.family === rule.family &&
    before.rule.table === rule.table &&
    before.rule.chain === rule.chain;
  return problem('rule-shadowed', 'error', family, {
    cause: `The rule “${bare(rule)}” is never reached by connections to port ${packet.dport}: ${by} ends their way.`,
    remedy:
      before === null || sameChain
        ? `${deleteRule(rule)} && ${insertRule(rule, bare(rule))}`
        : deleteRule(before.rule),
    evidence: situation.ruleSteps,
  });
}
