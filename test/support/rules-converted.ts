/** A conversion loaded into a lab by each of the tools, and taken back by the commands that it prints itself. */

import assert from 'node:assert/strict';
import type { Conversion, Target } from '../../src/convert/conversion.ts';
import { convert } from '../../src/convert/convert.ts';
import type { LabHost } from '../../src/lab/host.ts';

export const TOOLS = ['nft', 'iptables-legacy', 'iptables-nft'] as const;
export type Tool = (typeof TOOLS)[number];

export function convertFor(tool: Tool, file: string): Conversion {
  const to: Target = tool === 'nft' ? 'nft' : 'iptables';
  return convert('translation', file, to, { interface: null, pf: 'freebsd' });
}

export function loadInto(host: LabHost, tool: Tool, { lines }: Conversion): void {
  const text = `${lines.join('\n')}\n`;
  if (tool === 'nft') host.run('nft', ['-f', '-'], text);
  else host.run(`${tool}-restore`, ['--noflush'], text);
}

/** The indented lines after “undo it with:”, as printed. */
export function undo(host: LabHost, tool: Tool, { lines }: Conversion): void {
  const begin = lines.findIndex((line) => /[Uu]ndo it with:$/.test(line));
  if (begin === -1) return;
  for (const line of lines.slice(begin + 1)) {
    const command = /^# {3}(.*)$/.exec(line)?.[1];
    if (command === undefined) return;
    if (tool === 'nft' && !lines.some((one) => one.startsWith('table '))) return;
    const [program = '', ...args] = command.split(' ');
    host.run(program === 'iptables' ? tool : program, args);
  }
}

/** What is loaded now, without counters. */
export function listed(host: LabHost, tool: Tool): string {
  if (tool === 'nft') return host.run('nft', ['-s', 'list', 'ruleset']);
  return host.run(tool, ['-w', '-t', 'nat', '-S']);
}

/** Nothing is left: no rule, and no chain of ours. */
export function assertUndone(host: LabHost, tool: Tool): void {
  assert.doesNotMatch(listed(host, tool), /origdst|^-A/im);
}
