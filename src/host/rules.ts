/** The packet filter's rules, read with the system's own tools. Changes and loads nothing. */

import { readFileSync } from 'node:fs';
import type { Native } from '../native.ts';
import type { Step } from '../verdict.ts';
import { parseIptables } from './iptables-rules.ts';
import { notLoaded } from './modules.ts';
import { parseNft, ruleTexts } from './nft-rules.ts';
import type { Rule, Ruleset, RuleTool } from './rule.ts';
import { readWith } from './run.ts';

export interface RuleListing extends Ruleset {
  steps: Step[];
  /** Steps that kept rules from being read; empty when all were. */
  unread: Step[];
}

/** `iptables-legacy-save` loads a table that is not there yet, so it only runs where the kernel lists one. */
const LEGACY = [
  { tool: 'iptables-legacy', tables: '/proc/thread-self/net/ip_tables_names' },
  { tool: 'ip6tables-legacy', tables: '/proc/thread-self/net/ip6_tables_names' },
] as const;

/** Tables that iptables-nft(8) writes. Rules of x_tables extensions in them are opaque to nft(8). */
const COMPATIBLE = new Set(['raw', 'mangle', 'nat', 'filter', 'security']);

/** @param netns namespace whose rules are meant, null for this process's own */
export function readRules(native: Native, netns: number | null): RuleListing {
  const read = () => merge([nftRules(), ...LEGACY.map(legacyRules)]);
  return netns === null ? read() : native.inNamespace(netns, read);
}

function merge(listings: readonly RuleListing[]): RuleListing {
  return {
    chains: listings.flatMap(({ chains }) => chains),
    rules: listings.flatMap(({ rules }) => rules),
    steps: listings.flatMap(({ steps }) => steps),
    unread: listings.flatMap(({ unread }) => unread),
  };
}

function nftRules(): RuleListing {
  const absent = notLoaded('CONFIG_NF_TABLES', 'nf_tables');
  if (absent !== null) return { chains: [], rules: [], steps: [absent], unread: [] };
  const json = readWith('nft', '-j', 'list', 'ruleset');
  if (json.text === null) return { chains: [], rules: [], steps: [json.step], unread: [json.step] };
  const texts = readWith('nft', '-a', 'list', 'ruleset');
  const ruleset = parseNft(json.text, ruleTexts(texts.text ?? ''));
  const opaque = (['ip', 'ip6'] as const).filter((family) => ruleset.rules.some(isOpaque(family)));
  const listings = opaque.map((family) => compatibleRules(family));
  const replaced = listings.filter(({ unread }) => unread.length === 0).map(({ family }) => family);
  const isReplaced = (one: { family: string; table: string }) =>
    COMPATIBLE.has(one.table) && replaced.some((family) => family === one.family);
  return merge([
    {
      chains: ruleset.chains.filter((chain) => !isReplaced(chain)),
      rules: ruleset.rules.filter((rule) => !isReplaced(rule)),
      steps: [json.step, texts.step],
      unread: [],
    },
    ...listings,
  ]);
}

function isOpaque(family: 'ip' | 'ip6') {
  return (rule: Rule) =>
    rule.family === family &&
    COMPATIBLE.has(rule.table) &&
    rule.conditions.some((condition) => condition.kind === 'other' && condition.text.startsWith('{"xt":'));
}

/** The same tables once more, by the tool that wrote them. */
function compatibleRules(family: 'ip' | 'ip6'): RuleListing & { family: 'ip' | 'ip6' } {
  const tool: RuleTool = family === 'ip' ? 'iptables-nft' : 'ip6tables-nft';
  const { text, step } = readWith(`${tool}-save`);
  if (text === null) return { family, chains: [], rules: [], steps: [step], unread: [step] };
  return { family, ...parseIptables(tool, text), steps: [step], unread: [] };
}

function legacyRules({ tool, tables }: (typeof LEGACY)[number]): RuleListing {
  const listed = listedTables(tables);
  if (listed.errorName === 'ENOENT' || (listed.errorName === null && listed.result === 0)) {
    return { chains: [], rules: [], steps: [listed], unread: [] };
  }
  if (listed.errorName !== null) return { chains: [], rules: [], steps: [listed], unread: [listed] };
  const { text, step } = readWith(`${tool}-save`);
  if (text === null) return { chains: [], rules: [], steps: [listed, step], unread: [step] };
  return { ...parseIptables(tool, text), steps: [listed, step], unread: [] };
}

/** How many tables of x_tables this namespace has. ENOENT: the kernel has none, or not loaded. */
function listedTables(path: string): Step {
  const step: Step = { call: 'read', target: path, result: 0, errno: null, errorName: null, detail: '' };
  try {
    const names = readFileSync(path, 'utf8')
      .split('\n')
      .filter((name) => name !== '');
    return { ...step, result: names.length, detail: names.join(' ') };
  } catch (error) {
    const { code = 'EIO', errno } = error as NodeJS.ErrnoException;
    return { ...step, result: -1, errno: errno === undefined ? null : -errno, errorName: code };
  }
}
