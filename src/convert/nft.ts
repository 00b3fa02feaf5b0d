/** nft(8): one table, a chain for each hook, sets for lists. */

import { formatAddress } from '../translation/numbers.ts';
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
import { spans, type Values, values } from './words.ts';

const TABLE = 'origdst_rules';

/** Priorities as numbers, because old nft knows no names: dstnat -100, srcnat 100. */
const CHAINS: Record<
  'prerouting' | 'output' | 'postrouting',
  { lists: readonly TranslationList[]; priority: number }
> = {
  prerouting: { lists: ['pre'], priority: -100 },
  output: { lists: ['output'], priority: -100 },
  postrouting: { lists: ['masquerade', 'snat'], priority: 100 },
};

export function writeNft(rules: readonly Rule[], into: Conversion): void {
  into.lines.push('# Load it with nft -f; undo it with:', `#   nft delete table ip ${TABLE}`);
  if (LISTS.every((list) => rulesOf(rules, list).length === 0)) return;
  into.lines.push(`table ip ${TABLE} {`);
  for (const [chain, { lists, priority }] of Object.entries(CHAINS)) {
    const own = lists.flatMap((list) => rulesOf(rules, list));
    if (own.length === 0) continue;
    into.lines.push(`  chain ${chain} {`, `    type nat hook ${chain} priority ${priority}; policy accept;`);
    writeEach(own, into, '    ', (rule) => [nftRule(rule)]);
    into.lines.push('  }');
  }
  into.lines.push('}');
}

function nftRule(rule: Rule): string {
  return [...conditions(rule), 'counter', action(rule)].join(' ');
}

function* conditions(rule: Rule): Generator<string> {
  if (rule.inDevice !== null) yield `iifname "${device(rule.inDevice)}"`;
  if (rule.outDevice !== null) yield `oifname "${device(rule.outDevice)}"`;
  yield* compared('ip saddr', values(rule.source), formatAddress);
  yield* compared('ip daddr', values(rule.destination), formatAddress);
  const protocol = protocolName(rule.protocol);
  const ports = [...compared(`${protocol} sport`, values(rule.sourcePort), String)];
  ports.push(...compared(`${protocol} dport`, values(rule.destinationPort), String));
  if (ports.length === 0 || !hasPorts(rule.protocol)) yield `ip protocol ${protocol}`;
  else yield* ports;
}

function* compared(what: string, of: Values | null, spell: (value: number) => string): Generator<string> {
  if (of === null) return;
  const elements = spans(of.ranges, '-', spell);
  const text = elements.length === 1 ? elements[0] : `{ ${elements.join(', ')} }`;
  yield `${what} ${of.negated ? '!= ' : ''}${text}`;
}

function action(rule: Rule): string {
  const kind = outcome(rule);
  if (kind === 'nothing') return 'accept';
  if (kind === 'masquerade') return 'masquerade';
  return `${rule.list === 'snat' ? 'snat' : 'dnat'} to ${target(rule).replace(/^\*/, '')}`;
}
