/** What the doctor found, for people: the cause first, and the command that mends it. */

import type { Diagnosis, Problem } from '../diagnosis/doctor.ts';
import type { Severity } from '../diagnosis/finding.ts';
import { printable, shellWord } from '../diagnosis/shell.ts';
import type { Output } from './output.ts';
import { paint } from './paint.ts';
import { wrap } from './wrap.ts';

const COLOURS = { error: 'red', warning: 'yellow', info: 'cyan' } as const satisfies Record<Severity, string>;

export function renderDiagnosis({ problems, checks, request }: Diagnosis, output: Output): void {
  const chalk = paint(output);
  for (const problem of problems) output.write(`${block(problem, output)}\n`);
  if (problems.length > 0 && request.netns !== null) {
    output.write(`The commands are for this namespace: ${printable(enter(request.netns))}\n`);
  }
  output.write(`${chalk.bold(summary(problems))}, ${checks.length} checks\n`);
}

function block({ id, severity, certainty, family, cause, remedy }: Problem, output: Output): string {
  const chalk = paint(output);
  const word = certainty === 'unknown' ? 'not known' : severity;
  const scope = family === null ? '' : `, IPv${family}`;
  const head = `${chalk[COLOURS[severity]](word)}  ${chalk.bold(id)}${scope}`;
  // A command is not folded: it is to be copied.
  return `${head}\n${wrap(printable(cause), output.width, '  ')}\n${chalk.cyan(`  mend: ${printable(remedy)}`)}\n`;
}

function enter(netns: string): string {
  if (/^\d+$/.test(netns)) return `nsenter --target ${netns} --net`;
  return netns.includes('/') ? `nsenter --net=${shellWord(netns)}` : `ip netns exec ${shellWord(netns)} sh`;
}

function summary(problems: readonly Problem[]): string {
  const found = problems.filter(({ certainty }) => certainty === 'found');
  const unknown = problems.length - found.length;
  const count = (severity: Severity) => found.filter((problem) => problem.severity === severity).length;
  const parts = [
    [count('error'), 'error'],
    [count('warning'), 'warning'],
    [count('info'), 'note'],
    [unknown, 'not known'],
  ] as const;
  const words = parts
    .filter(([number]) => number > 0)
    .map(([number, word]) => `${number} ${word}${number === 1 || word === 'not known' ? '' : 's'}`);
  return words.length === 0 ? 'nothing is amiss' : words.join(', ');
}
