/** The program that brings rules into a lab: nft, or iptables in either of its two forms. */

import { spawnSync } from 'node:child_process';
import type { Family } from '../verdict.ts';
import type { LabHost } from './host.ts';
import { findProgram } from './programs.ts';
import { asIptables, asNft, familyOf, type Rule } from './rules.ts';

export type RuleToolName = 'nft' | 'iptables-nft' | 'iptables-legacy';

export interface RuleTool {
  name: RuleToolName;
  /** Paths of the program by family; nft is one for both. */
  programs: Record<Family, string>;
}

export const NO_RULE_TOOL = {
  reason: 'no-rule-tool',
  cause: 'Neither nft nor iptables is installed, so that the lab can have no rules: nothing can be proven.',
  remedy: 'apt-get install nftables',
} as const;

/** What this host has, the preferred one first. */
export function findRuleTools(): RuleTool[] {
  const tools: RuleTool[] = [];
  const nft = findProgram('nft');
  if (nft !== null) tools.push({ name: 'nft', programs: { 4: nft, 6: nft } });
  for (const name of ['iptables-nft', 'iptables-legacy'] as const) {
    const four = findProgram(name);
    const six = findProgram(name.replace('ip', 'ip6'));
    if (four !== null && six !== null) tools.push({ name, programs: { 4: four, 6: six } });
  }
  const plain = plainIptables();
  if (plain !== null && !tools.some(({ name }) => name === plain.name)) tools.push(plain);
  return tools;
}

/** `iptables` without a suffix says which of the two it is: `iptables v1.8.9 (nf_tables)`. Before 1.8 there was one. */
function plainIptables(): RuleTool | null {
  const four = findProgram('iptables');
  const six = findProgram('ip6tables');
  if (four === null || six === null) return null;
  const { stdout } = spawnSync(four, ['--version'], { encoding: 'utf8', timeout: 5000 });
  const name = stdout?.includes('(nf_tables)') ? 'iptables-nft' : 'iptables-legacy';
  return { name, programs: { 4: four, 6: six } };
}

/** The rules as a person would type them, for this tool. */
export function spell(tool: RuleTool, rules: readonly Rule[]): string[] {
  if (tool.name === 'nft') return asNft(rules);
  return rules.map((rule) => `${commandName(tool, familyOf(rule))} ${asIptables(rule).join(' ')}`);
}

function commandName(tool: RuleTool, family: Family): string {
  return family === 4 ? tool.name : tool.name.replace('ip', 'ip6');
}

/** @throws {import('./host.ts').LabError} with the tool's words when it refuses one */
export async function load(tool: RuleTool, host: LabHost, rules: readonly Rule[]): Promise<void> {
  if (tool.name === 'nft') {
    await host.start(tool.programs[4], ['-f', '-'], `${asNft(rules).join('\n')}\n`);
    return;
  }
  for (const rule of rules) await host.start(tool.programs[familyOf(rule)], ['-w', ...asIptables(rule)]);
}

/** The rules that are there now, one a line, with their counters. */
export async function list(tool: RuleTool, host: LabHost, families: readonly Family[]): Promise<string[]> {
  const texts: string[] = [];
  if (tool.name === 'nft') texts.push(await host.start(tool.programs[4], ['list', 'ruleset']));
  else {
    for (const family of families) {
      for (const table of ['nat', 'mangle']) {
        texts.push(await host.start(tool.programs[family], ['-w', '-t', table, '-v', '-S']));
      }
    }
  }
  return texts.flatMap((text) => text.split('\n')).map((line) => line.trim());
}

/** Packets that a listed rule has counted, null where the line shows no counter. */
export function countedPackets(line: string): number | null {
  const match = /\bcounter packets (\d+)|-c (\d+) \d+/.exec(line);
  return match === null ? null : Number(match[1] ?? match[2]);
}
