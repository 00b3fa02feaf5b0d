/** The answers of the `rules` commands, for people. */

import type { WorkingSet } from '../generate/scenario.ts';
import type { CheckReport } from '../translation/check.ts';
import { deed, type Explanation, type Places } from '../translation/explain.ts';
import type { Finding, Severity } from '../translation/finding.ts';
import { shown } from '../translation/lines.ts';
import { ruleName } from '../translation/shadow.ts';
import type { Output } from './output.ts';
import { paint } from './paint.ts';
import { wrap } from './wrap.ts';

const COLOURS = { error: 'red', warning: 'yellow', info: 'cyan' } as const satisfies Record<Severity, string>;
/** More of one kind is counted: a file of the old program has a POSITION in every rule. */
const SHOWN_OF_A_KIND = 10;

export function renderCheck(report: CheckReport, output: Output): void {
  const chalk = paint(output);
  const seen = new Map<string, number>();
  const pieces: string[] = [];
  for (const finding of report.findings) {
    const count = (seen.get(finding.id) ?? 0) + 1;
    seen.set(finding.id, count);
    if (count <= SHOWN_OF_A_KIND) pieces.push(block(report.file, finding, output));
  }
  for (const [id, count] of seen) {
    if (count > SHOWN_OF_A_KIND) pieces.push(`${chalk.bold(id)}: ${count - SHOWN_OF_A_KIND} more\n`);
  }
  for (const piece of pieces) output.write(`${piece}\n`);
  output.write(`${wrap(verdict(report), output.width, '')}\n`);
}

function block(
  file: string,
  { line, column, id, severity, rule, cause, remedy }: Finding,
  output: Output,
): string {
  const chalk = paint(output);
  const where = `${shown(file)}:${line}:${column}`;
  const about = rule === null ? '' : `, rule ${rule}`;
  const head = `${where}  ${chalk[COLOURS[severity]](severity)}  ${chalk.bold(id)}${about}`;
  // A command is not folded: it is to be copied.
  const mend = remedy === null ? '' : `${chalk.cyan(`  mend: ${remedy}`)}\n`;
  return `${head}\n${wrap(cause, output.width, '  ')}\n${mend}`;
}

function verdict({ loader, rules, summary }: CheckReport): string {
  const lists = Object.entries(rules.lists)
    .filter(([, count]) => count > 0)
    .map(([list, count]) => `${count} in ${list === 'none' ? 'no list' : list}`);
  const loaded =
    loader.outcome === 'refused'
      ? 'The original loader refuses the file, and loads no rule.'
      : `The original loader takes the file: ${rules.total} rule${rules.total === 1 ? '' : 's'}${lists.length === 0 ? '' : `, ${lists.join(', ')}`}.`;
  const counts = [
    [summary.errors, 'error'],
    [summary.warnings, 'warning'],
    [summary.infos, 'note'],
  ] as const;
  const words = counts
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}${count === 1 ? '' : 's'}`);
  return `${loaded} ${words.length === 0 ? 'Nothing is amiss.' : `${words.join(', ')}.`}`;
}

export function renderExplanation(explanation: Explanation, output: Output): void {
  const { match, before, after } = explanation;
  const chalk = paint(output);
  const head =
    match === null
      ? `${chalk.yellow('not matched')}  no rule takes it`
      : `${explanation.verdict === 'redirected' ? chalk.green('redirected') : chalk.yellow('unchanged')}  ${ruleName(match.rule)}${title(match.rule.loaded.name)} ${deed(match.rule)}`;
  output.write(`${head}\n  as it comes   ${spell(before)}\n  as it goes on ${spell(after)}\n`);
  for (const note of explanation.notes) output.write(`${wrap(note, output.width, '  ')}\n`);
}

function title(name: string | null): string {
  return name === null || name === '' ? '' : ` ‘${shown(name)}’`;
}

function spell({ source, destination }: Places): string {
  return `${source.address}:${source.port} to ${destination.address}:${destination.port}`;
}

/** A script for the shell. */
export function renderSet({ os, apply, undo, notes }: WorkingSet, backwards: boolean, output: Output): void {
  output.write(`#!/bin/sh\n# ${os}\n`);
  if (!backwards) for (const note of notes) output.write(`${wrap(note, 80, '# ')}\n`);
  output.write(`set -e\n${(backwards ? undo : apply).join('\n')}\n`);
}
