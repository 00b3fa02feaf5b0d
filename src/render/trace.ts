/** A packet’s way through the rules, a line a station. */

import { printable } from '../diagnosis/shell.ts';
import type { Trace } from '../diagnosis/trace.ts';
import type { TracedPacket } from '../diagnosis/trace-report.ts';
import type { Output } from './output.ts';
import { paint } from './paint.ts';
import { wrap } from './wrap.ts';

export function renderTrace({ packets, flow }: Trace, output: Output): void {
  const chalk = paint(output);
  output.write(`${chalk.bold('trace')}  ${flow.protocol} ${place(flow.source)} ${place(flow.destination)}\n`);
  if (packets.length === 0) {
    output.write('  no packet of this flow came to this host\n\n');
    return;
  }
  for (const packet of packets) output.write(`${block(packet, output)}\n`);
  output.write('  rules of iptables-legacy and of tc are not shown by it\n\n');
}

function block({ id, packet, stations }: TracedPacket, output: Output): string {
  const chalk = paint(output);
  const lines = stations.map(({ table, chain, kind, rule, verdict }) => {
    const where = `${table} ${chain}`;
    const what = rule === null ? kind : printable(rule);
    const end = verdict === 'drop' ? chalk.red(verdict) : chalk.bold(verdict);
    return `    ${where}: ${what} → ${end}`;
  });
  const none = stations.length === 0 ? ['    no rule matched it, and no chain has a policy for it'] : [];
  return [`  ${chalk.bold(id)}`, wrap(printable(packet), output.width, '    '), ...lines, ...none].join('\n');
}

function place({ address, port }: { address: string; port: number | null }): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port ?? '*'}`;
}
