/** The packet filter's rules as text, read with the system's own tools. Changes and loads nothing. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Native } from '../native.ts';
import type { Step } from '../verdict.ts';

export interface RuleListing {
  /** Rules, one a line, with the tool that showed them. */
  rules: { tool: string; rule: string }[];
  steps: Step[];
}

/** `iptables-legacy-save` loads a table that is not there yet, so it only runs where the kernel lists one. */
const TOOLS = [
  { command: 'nft', args: ['list', 'ruleset'], tables: null },
  { command: 'iptables-legacy-save', args: [], tables: '/proc/net/ip_tables_names' },
  { command: 'ip6tables-legacy-save', args: [], tables: '/proc/net/ip6_tables_names' },
] as const;

/** @param netns namespace whose rules are meant, null for this process's own */
export function readRules(native: Native, netns: number | null): RuleListing {
  const read = () => TOOLS.map(listing);
  const listings = netns === null ? read() : native.inNamespace(netns, read);
  return { rules: listings.flatMap(({ rules }) => rules), steps: listings.flatMap(({ steps }) => steps) };
}

function listing({ command, args, tables }: (typeof TOOLS)[number]): RuleListing {
  if (tables !== null && !hasTables(tables)) return { rules: [], steps: [] };
  const run = spawnSync(command, args, { encoding: 'utf8', timeout: 5000, maxBuffer: 1 << 26 });
  const code = (run.error as NodeJS.ErrnoException | undefined)?.code ?? null;
  const failure = code ?? (run.status === 0 ? null : (run.stderr.trim().split('\n')[0] ?? 'failed'));
  const step: Step = {
    call: 'run',
    target: [command, ...args].join(' '),
    result: run.status ?? -1,
    errno: null,
    errorName: code,
    detail: failure ?? '',
  };
  const lines = failure === null ? run.stdout.split('\n') : [];
  return { rules: lines.map((line) => ({ tool: command, rule: line.trim() })), steps: [step] };
}

function hasTables(path: string): boolean {
  try {
    return readFileSync(path, 'utf8').trim() !== '';
  } catch {
    return false;
  }
}
