/** A translation file of 100,000 rules, checked and explained by the installed command. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Contender, compare, print } from './measure.ts';

const RULES = 100_000;
const RUN = fileURLToPath(new URL('../bin/run.js', import.meta.url));

export function benchRules(): void {
  const folder = mkdtempSync(join(tmpdir(), 'origdst-bench-'));
  try {
    const different = write(folder, 'different', (number) => [`DSTADDR=10.${octets(number)}`, 'DSTPORT=110']);
    const intervals = write(folder, 'intervals', (number) => [
      `SRCADDR=10.${octets(number)}`,
      'DSTPORT=1000',
      `_END_DSTPORT=${1001 + (number % 5000)}`,
    ]);
    const flow = ['--flow', 'tcp 192.0.2.1:4000 10.1.134.159:110'];
    const timings = compare(
      [
        { name: 'node -e 0', command: process.execPath, args: ['-e', '0'] },
        origdst('check --json, one address a rule', 'rules', 'check', '--json', different),
        origdst('check --json, intervals', 'rules', 'check', '--json', intervals),
        origdst('explain, the last rule matches', 'rules', 'explain', different, ...flow),
        origdst('convert --to nft', 'rules', 'convert', different, '--to', 'nft'),
      ],
      3,
    );
    print(`${RULES} rules`, timings, 'budget for a check: 2000 ms');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function write(folder: string, name: string, selectors: (number: number) => string[]): string {
  const path = join(folder, name);
  const lines: string[] = [];
  for (let number = 0; number < RULES; number++) {
    lines.push('RULE', `NAME=rule ${number}`, 'DIRECTION=PRE', 'PROTOCOL=6', ...selectors(number));
    lines.push('NAT=YES', 'NEWADDR=192.168.0.1', 'NEWPORT=8110');
  }
  writeFileSync(path, `${lines.join('\n')}\nEND\n`);
  return path;
}

function octets(number: number): string {
  return [16, 8, 0].map((shift) => (number >> shift) & 255).join('.');
}

function origdst(name: string, ...args: string[]): Contender {
  return { name, command: process.execPath, args: [RUN, ...args] };
}
