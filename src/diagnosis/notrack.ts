/** A rule exempts packets from connection tracking, so that no translation can be remembered. */

import type { Rule } from '../host/rule.ts';
import { readRules } from '../host/rules.ts';
import type { Subject } from '../inquiry.ts';
import type { Native } from '../native.ts';
import type { Finding } from './finding.ts';

/** `notrack` of nft(8); `NOTRACK` and `CT --notrack` of iptables-extensions(8). */
export function isNotrack(rule: Rule): boolean {
  return rule.actions.some(({ kind }) => kind === 'notrack');
}

export function checkNotrack(native: Native, subject: Subject): Finding | null {
  const { rules, steps } = readRules(native, subject.netns?.fd ?? null);
  const match = rules.find(isNotrack);
  if (match === undefined) return null;
  return {
    reason: 'not-tracked',
    cause: `The connection is not tracked, and a rule of this namespace exempts packets from tracking: “${match.text}”.`,
    remedy:
      match.tool === 'nft'
        ? 'nft -a list ruleset | grep -i notrack   # narrow that rule, or: nft delete rule FAMILY TABLE CHAIN handle N'
        : `${match.tool} -t raw -S   # narrow that rule, or delete it with -D`,
    steps,
  };
}
