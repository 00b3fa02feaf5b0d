/** A proof as text that a person can learn from: the network, the rules, the packets, what each end saw. */

import { isControl } from '../conclusion.ts';
import type { ProofResult } from '../lab/proof.ts';
import type { ProofReport } from '../prove.ts';
import type { Step } from '../verdict.ts';
import type { Output } from './output.ts';
import { paint, paintVerdict } from './paint.ts';
import { wrap } from './wrap.ts';

/** How many proofs held, where and with what; or why there was none. */
export function renderProofSummary(report: ProofReport, output: Output): void {
  const chalk = paint(output);
  const { refusal, proofs, where, tools } = report;
  if (refusal !== null) {
    output.write(`${wrap(`nothing proven: ${refusal.cause}`, output.width, '  ', '')}\n`);
    output.write(`${chalk.cyan(wrap(refusal.remedy, output.width, '        ', '  mend: '))}\n`);
    return;
  }
  const held = proofs.filter(({ verdict }) => verdict === 'proven').length;
  const place = where === 'process' ? 'private network namespaces' : 'a user namespace of its own';
  const using = tools.length === 0 ? '' : `, rules by ${tools.join(' and ')}`;
  output.write(`${held} of ${proofs.length} proofs held, in ${place}${using}\n`);
  if (report.modules.length > 0)
    output.write(`${wrap(`the kernel loaded: ${report.modules.join(', ')}`, output.width, '  ', '')}\n`);
}

export function renderProof(proof: ProofResult, output: Output): void {
  const chalk = paint(output);
  const write = (text: string) => output.write(`${text}\n`);
  const section = (name: string, lines: readonly string[]) => {
    if (lines.length > 0) write(`  ${name}\n${lines.map((line) => `    ${line}`).join('\n')}`);
  };
  write(`\n${chalk.bold(proof.id)}  ${proof.title}`);
  section('topology', proof.topology);
  section('rules on the gateway', proof.rules);
  section('packets at the gateway', proof.packets);
  section('control: the same without what makes it work', proof.evidence.filter(isControl).map(describe));
  section('steps', proof.evidence.filter((step) => !isControl(step)).map(describe));
  section('enter the machines', proof.enter);
  write(
    `  ${paintVerdict(proof.verdict, chalk)}${proof.verdict === 'proven' ? `: ${proof.rows.join(', ')}` : ''}`,
  );
  if (proof.cause !== null) write(wrap(proof.cause, output.width, '  '));
  if (proof.remedy !== null) write(chalk.cyan(wrap(proof.remedy, output.width, '        ', '  mend: ')));
}

function describe(step: Step): string {
  const answer = step.errorName ?? (step.result < 0 ? 'failed' : '');
  const detail = step.detail.replace(/^control: /, '');
  return [`${step.call} ${step.target}`, answer, detail].filter(Boolean).join(': ');
}
