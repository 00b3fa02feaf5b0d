/** A spoofed connection for people: the stages, what passed on the wire, and what that means. */

import { isIP } from 'node:net';
import type { Packet } from '../spoof/packet.ts';
import type { Place, SpoofReport, Stage } from '../spoof/report.ts';
import type { Step } from '../verdict.ts';
import type { Output } from './output.ts';
import { paint } from './paint.ts';
import { wrap } from './wrap.ts';

const COLOURS = { ok: 'green', failed: 'red', denied: 'yellow', waiting: 'yellow' } as const;
const WORDS = { ok: 'ok', failed: 'failed', denied: 'denied', waiting: 'no answer' } as const;

export function renderSpoof(report: SpoofReport, output: Output): void {
  const chalk = paint(output);
  const line = (text: string) => output.write(`${text.trimEnd()}\n`);
  line(`${place(report.source)} to ${place(report.target)}, ${report.protocol}, by ${report.mechanism}`);
  for (const stage of report.stages) {
    const word = chalk[COLOURS[stage.verdict]](WORDS[stage.verdict].padEnd(10));
    line(`  ${stage.stage.padEnd(10)}${word}${about(stage)}`);
  }
  if (report.packets !== null) {
    line('on the wire:');
    if (report.packets.length === 0) line('  nothing');
    for (const [text, count] of counted(report.packets)) line(`  ${text}${count > 1 ? `  ×${count}` : ''}`);
  }
  if (report.received) line(`received: ${JSON.stringify(report.received)}`);
  const good = report.verdict === 'spoofed';
  const verdict = chalk[good ? 'green' : 'red'](report.verdict);
  line(good || report.reason === report.verdict ? verdict : `${verdict} (${report.reason})`);
  if (report.cause !== null) line(wrap(report.cause, output.width, '  '));
  // In one piece, however long: it is there to be copied.
  if (report.remedy !== null) line(chalk.cyan(`  mend: ${report.remedy}`));
}

function about({ steps, note }: Stage): string {
  const step = steps.at(-1);
  const words = step === undefined ? '' : call(step);
  return note === null ? words : `${words}: ${note}`;
}

function call({ call, target, errorName }: Step): string {
  return errorName === null ? `${call} ${target}` : `${call} ${target} says ${errorName}`;
}

/** Equal packets once: a handshake without an answer repeats itself. */
function counted(packets: readonly Packet[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const packet of packets) {
    const text = describe(packet);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return counts;
}

function describe({ interface: name, direction, kind, from, to, icmp }: Packet): string {
  const ends = `${place(from)} > ${place(to)}`;
  const what = icmp === null ? kind : `icmp ${icmp.type}/${icmp.code}`;
  return `${name.padEnd(10)}${direction.padEnd(10)}${what.padEnd(10)}${ends}`;
}

function place({ address, port }: Place): string {
  if (port === 0) return address;
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}
