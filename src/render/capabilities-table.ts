/** The capability matrix as a table: a group a mechanism, a row an operation, a column a family and protocol. */

import Table from 'cli-table3';
import type { CapabilityReport, CapabilityRow } from '../matrix.ts';
import type { Mechanism } from '../mechanism.ts';
import type { RequirementResult } from '../requirement.ts';
import type { Output } from './output.ts';
import { paint, paintVerdict } from './paint.ts';
import { renderProof, renderProofSummary } from './proof-text.ts';
import { wrap } from './wrap.ts';

const COLUMNS = [
  ['ipv4', 'tcp'],
  ['ipv4', 'udp'],
  ['ipv6', 'tcp'],
  ['ipv6', 'udp'],
] as const;

export function renderCapabilities(
  report: CapabilityReport,
  mechanisms: readonly Mechanism[],
  requirements: readonly RequirementResult[],
  output: Output,
  showProofs = false,
): void {
  const chalk = paint(output);
  const { host } = report;
  output.write(
    `${chalk.bold(`${host.os} ${host.release} ${host.arch}`)}, uid ${host.euid}, ${host.netns ?? 'no namespaces'}\n`,
  );
  if (!report.native.loaded) {
    output.write(`${wrap(`${report.native.cause}.`, output.width, '  ')}\n`);
    output.write(`${wrap(`mend: ${report.native.remedy}`, output.width, '  ')}\n`);
  }
  const table = new Table({
    head: [
      '',
      ...COLUMNS.map(
        ([family, protocol]) => `${family === 'ipv4' ? 'IPv4' : 'IPv6'} ${protocol.toUpperCase()}`,
      ),
    ],
    style: { head: [], border: [], compact: false },
    colWidths: [output.width - 4 * 13 - 6, 13, 13, 13, 13],
    wordWrap: false,
  });
  for (const mechanism of mechanisms) {
    const rows = report.results.filter((row) => row.mechanism === mechanism.name);
    table.push(...groupRows(mechanism, rows, output));
  }
  output.write(`${table.toString()}\n`);
  output.write(`${summaryLine(report)}\n`);
  if (report.proof !== undefined) {
    renderProofSummary(report.proof, output);
    if (showProofs) for (const proof of report.proof.proofs) renderProof(proof, output);
  }
  for (const result of requirements) renderRequirement(result, output);
}

type TableRow = Table.Cell[];

function groupRows(mechanism: Mechanism, rows: readonly CapabilityRow[], output: Output): TableRow[] {
  const chalk = paint(output);
  const head = `${chalk.bold(mechanism.name)}  ${mechanism.title}`;
  if (rows.every((row) => row.verdict === 'other-os')) {
    const systems = `${paintVerdict('other-os', chalk)}: ${mechanism.os.join(', ')}`;
    return [[{ content: `${head}\n${systems}`, colSpan: 5 }]];
  }
  const operations = [...new Set(rows.map((row) => row.operation))];
  const cells = COLUMNS.map(([family, protocol]) =>
    operations
      .map((operation) =>
        rows.find((row) => row.operation === operation && row.family === family && row.protocol === protocol),
      )
      .map((row) => (row === undefined ? chalk.dim('-') : paintVerdict(row.verdict, chalk)))
      .join('\n'),
  );
  return [[{ content: head, colSpan: 5 }], [operations.join('\n'), ...cells], ...explanations(rows, output)];
}

/** Each cause once, with the operations that share it. */
function explanations(rows: readonly CapabilityRow[], output: Output): TableRow[] {
  const chalk = paint(output);
  const bad = rows.filter(
    (row) => row.cause !== null && row.verdict !== 'available' && row.verdict !== 'proven',
  );
  const groups = Map.groupBy(bad, (row) => `${row.cause}\n${row.remedy}`);
  const texts = [...groups.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const operations = new Set([first, ...others].map((row) => row.operation));
    const lines = [wrap(`${[...operations].join(', ')}: ${first.cause}`, output.width - 4, '  ', '')];
    if (first.remedy !== null)
      lines.push(chalk.cyan(wrap(first.remedy, output.width - 4, '        ', '  mend: ')));
    return lines;
  });
  return texts.length === 0 ? [] : [[{ content: texts.join('\n'), colSpan: 5 }]];
}

function summaryLine(report: CapabilityReport): string {
  const parts = Object.entries(report.summary).filter(([, count]) => count > 0);
  return parts.map(([verdict, count]) => `${count} ${verdict}`).join(', ');
}

function renderRequirement(result: RequirementResult, output: Output): void {
  const chalk = paint(output);
  const verdict = result.met ? chalk.green('met') : chalk.red(result.denied ? 'not permitted' : 'not met');
  const rows = result.unmet.length === 0 ? '' : `: ${result.unmet.join(', ')}`;
  output.write(`require ${result.requirement}: ${verdict}${rows}\n`);
}
