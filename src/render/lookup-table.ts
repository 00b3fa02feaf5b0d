/** Lookup results as a table, or as blocks where the addresses are too wide for the terminal. */

import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';
import type { LookupResult } from '../inquiry.ts';
import type { Output } from './output.ts';
import { paint, paintVerdict } from './paint.ts';
import { wrap } from './wrap.ts';

type Place = LookupResult['original'];

export function renderLookup(results: readonly LookupResult[], output: Output): void {
  const table = wide(results, output);
  const fits = table.split('\n').every((line) => stripVTControlCharacters(line).length <= output.limit);
  output.write(`${fits ? table : results.map((result) => block(result, output)).join('\n')}\n`);
  for (const text of explanations(results, output)) output.write(`${text}\n`);
}

const LINES = [
  ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
  ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
];
const NO_LINES = Object.fromEntries(LINES.map((name) => [name, '']));

/** One line a connection, so that grep(1) finds it; the holder's socket says more than the local address. */
function wide(results: readonly LookupResult[], output: Output): string {
  const chalk = paint(output);
  const owned = results.some((result) => result.flow.pid !== null);
  const table = new Table({
    head: ['client', owned ? 'socket' : 'local', 'original destination', 'verdict', 'by'],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 1 },
    chars: NO_LINES,
  });
  for (const result of results) {
    table.push([
      place(result.flow.peer),
      owned ? socket(result) : place(result.flow.local),
      chalk.bold(place(result.original)),
      paintVerdict(result.verdict, chalk),
      result.mechanism ?? '-',
    ]);
  }
  return trimLines(table.toString());
}

function block(result: LookupResult, output: Output): string {
  const chalk = paint(output);
  const lines = [
    `client    ${place(result.flow.peer)} (${result.flow.protocol})`,
    `local     ${place(result.flow.local)}`,
    `original  ${chalk.bold(place(result.original))}`,
    `verdict   ${paintVerdict(result.verdict, chalk)}${result.mechanism === null ? '' : ` by ${result.mechanism}`}`,
  ];
  if (result.flow.pid !== null) lines.push(`socket    ${socket(result)}`);
  return `${lines.join('\n')}\n`;
}

/** Each cause once, with the number of connections that share it. */
function explanations(results: readonly LookupResult[], output: Output): string[] {
  const chalk = paint(output);
  const unique = new Map<string, { result: LookupResult; count: number }>();
  for (const result of results) {
    if (result.cause === null) continue;
    const key = `${result.verdict} ${result.cause}`;
    unique.set(key, { result, count: (unique.get(key)?.count ?? 0) + 1 });
  }
  return [...unique.values()].map(({ result, count }) => {
    const head = `${result.verdict}${count > 1 ? ` (${count})` : ''}: `;
    const lines = ['', wrap(`${head}${result.cause}`, output.width, '  ', '')];
    if (result.remedy !== null)
      lines.push(chalk.cyan(wrap(result.remedy, output.width, '        ', '  mend: ')));
    return lines.join('\n');
  });
}

function socket({ flow }: LookupResult): string {
  return flow.pid === null ? '-' : `${flow.process}[${flow.pid}] fd ${flow.fd}`;
}

function place(endpoint: Place): string {
  if (endpoint === null) return '-';
  return endpoint.address.includes(':')
    ? `[${endpoint.address}]:${endpoint.port}`
    : `${endpoint.address}:${endpoint.port}`;
}

function trimLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .join('\n');
}
