/**
 * iptables-restore(8), for both iptables: chains of our own that the built-in ones jump to. Lists become chains,
 * so that no match extension is needed and no rule is multiplied.
 */

import { hasPorts, type Rule, target } from '../translation/rule.ts';
import {
  type Conversion,
  device,
  LISTS,
  outcome,
  protocolName,
  rulesOf,
  type TranslationList,
  writeEach,
} from './conversion.ts';
import { cidrs, spans, type Values, values } from './words.ts';

const CHAINS: Record<TranslationList, { own: string; hook: string }> = {
  pre: { own: 'ORIGDST-PRE', hook: 'PREROUTING' },
  output: { own: 'ORIGDST-OUTPUT', hook: 'OUTPUT' },
  masquerade: { own: 'ORIGDST-MASQ', hook: 'POSTROUTING' },
  snat: { own: 'ORIGDST-SNAT', hook: 'POSTROUTING' },
};

export function writeIptables(rules: readonly Rule[], into: Conversion): void {
  const used = LISTS.filter((list) => rulesOf(rules, list).length > 0);
  into.lines.push('# Load it with iptables-restore --noflush (iptables-legacy or iptables-nft).');
  if (used.length === 0) return;
  const body: Conversion = { lines: [], problems: into.problems };
  const chains: string[] = [];
  for (const list of used) {
    const { own } = CHAINS[list];
    chains.push(own);
    writeEach(rulesOf(rules, list), body, '', (rule) => {
      const written = new RuleWriter(rule, own);
      chains.push(...written.chains);
      return written.lines;
    });
  }
  into.lines.push('# Undo it with:');
  for (const list of used) {
    const { own, hook } = CHAINS[list];
    into.lines.push(`#   iptables -w -t nat -D ${hook} -j ${own}`);
  }
  for (const chain of chains) into.lines.push(`#   iptables -w -t nat -F ${chain}`);
  for (const chain of chains) into.lines.push(`#   iptables -w -t nat -X ${chain}`);
  into.lines.push('*nat', ...chains.map((chain) => `:${chain} - [0:0]`));
  for (const list of used) into.lines.push(`-A ${CHAINS[list].hook} -j ${CHAINS[list].own}`);
  into.lines.push(...body.lines, 'COMMIT');
}

/** One condition as alternatives, of which one must match, or none may. */
interface Condition {
  negated: boolean;
  option: string;
  alternatives: string[];
}

class RuleWriter {
  readonly lines: string[] = [];
  readonly chains: string[] = [];

  constructor(rule: Rule, chain: string) {
    const protocol = `-p ${protocolName(rule.protocol)}`;
    const devices = [
      ...(rule.inDevice === null ? [] : [`-i ${device(rule.inDevice)}`]),
      ...(rule.outDevice === null ? [] : [`-o ${device(rule.outDevice)}`]),
    ];
    const conditions = [...conditionsOf(rule)];
    const single = conditions.filter(({ alternatives }) => alternatives.length === 1);
    const several = conditions.filter(({ alternatives }) => alternatives.length > 1);
    const first = single.map(
      ({ negated, option, alternatives: [only] }) => `${negated ? '! ' : ''}${option} ${only}`,
    );
    let match = [...devices, protocol, ...first].join(' ');
    let at = chain;
    for (const [index, { negated, option, alternatives }] of several
      .toSorted((a, b) => Number(b.negated) - Number(a.negated))
      .entries()) {
      const next = `ORIGDST-${rule.loaded.number}-${index + 1}`;
      this.chains.push(next);
      if (negated) {
        this.lines.push(`-A ${at} ${match} -j ${next}`);
        for (const one of alternatives) this.lines.push(`-A ${next} ${protocol} ${option} ${one} -j RETURN`);
      } else {
        for (const one of alternatives) this.lines.push(`-A ${at} ${match} ${option} ${one} -j ${next}`);
      }
      at = next;
      match = protocol;
    }
    this.lines.push(`-A ${at} ${match} -j ${action(rule)}`);
  }
}

function* conditionsOf(rule: Rule): Generator<Condition> {
  const address = (option: string, of: Values | null): Condition[] =>
    of === null ? [] : [{ negated: of.negated, option, alternatives: cidrs(of.ranges) }];
  yield* address('-s', values(rule.source));
  yield* address('-d', values(rule.destination));
  if (!hasPorts(rule.protocol)) return;
  const port = (option: string, of: Values | null): Condition[] =>
    of === null ? [] : [{ negated: of.negated, option, alternatives: spans(of.ranges, ':', String) }];
  yield* port('--sport', values(rule.sourcePort));
  yield* port('--dport', values(rule.destinationPort));
}

function action(rule: Rule): string {
  const kind = outcome(rule);
  if (kind === 'nothing') return 'ACCEPT';
  if (kind === 'masquerade') return 'MASQUERADE';
  const to = target(rule).replace(/^\*/, '');
  return rule.list === 'snat' ? `SNAT --to-source ${to}` : `DNAT --to-destination ${to}`;
}
