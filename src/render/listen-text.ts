/** A listen test for people: a line a connection, as it comes; the reasons together at the end. */

import type { Arrival, Closed, Listening, Observer, Summary } from '../listen/arrival.ts';
import { formatPlace } from '../listen/place.ts';
import type { Output } from './output.ts';
import { paint, paintVerdict } from './paint.ts';
import { wrap } from './wrap.ts';

/** As wide as IPv4 with a port; a longer address widens its column from there on. */
const NARROWEST = 22;

export class ListenText implements Observer {
  readonly #output: Output;
  readonly #chalk: ReturnType<typeof paint>;
  readonly #widths = [NARROWEST, NARROWEST, NARROWEST, 10];
  /** Each cause once, with the number of connections that share it. */
  readonly #reasons = new Map<string, { arrival: Arrival; count: number }>();

  constructor(output: Output) {
    this.#output = output;
    this.#chalk = paint(output);
  }

  listening({ address, port, protocol, families, transparent, notes }: Listening): void {
    const kinds = families.map((family) => `IPv${family}`).join(' and ');
    const tproxy = transparent ? 'transparent' : 'not transparent';
    this.#line(`listening on ${formatPlace({ address, port })} ${protocol}, ${kinds}, ${tproxy}`);
    for (const note of notes) this.#line(wrap(note, this.#output.width, '  '));
    this.#line(this.#columns(['client', 'local', 'original destination', 'by'], 'verdict'));
  }

  connection(arrival: Arrival): void {
    const { flow, original, intercepted, mechanism, verdict, expected, cause } = arrival;
    const by = intercepted === true ? mechanism : intercepted === false ? 'direct' : null;
    const judged =
      expected === null ? '' : expected ? '  as expected' : `  ${this.#chalk.red('not expected')}`;
    this.#line(
      this.#columns([place(flow.peer), place(flow.local), place(original), by ?? '-'], '') +
        paintVerdict(verdict, this.#chalk) +
        judged,
    );
    if (cause === null) return;
    const key = `${verdict} ${cause}`;
    const known = this.#reasons.get(key);
    this.#reasons.set(key, { arrival: known?.arrival ?? arrival, count: (known?.count ?? 0) + 1 });
  }

  /** A plain end is no news. */
  closed({ client, ending, detail }: Closed): void {
    if (ending === 'closed' || ending === 'stopped') return;
    this.#line(`${place(client).padEnd(NARROWEST)} ${WORDS[ending]}${detail === null ? '' : ` (${detail})`}`);
  }

  summary(summary: Summary): void {
    const { connections, intercepted, direct, unknown, mismatched, loops, dropped, bytes } = summary;
    const parts = [`${intercepted} intercepted`, `${direct} direct`];
    if (unknown > 0) parts.push(`${unknown} unknown`);
    parts.push(`${mismatched} mismatched`);
    if (loops > 0) parts.push(`${loops} loops refused`);
    if (dropped > 0) parts.push(`${dropped} turned away`);
    this.#line('');
    this.#line(
      `${connections} ${connections === 1 ? 'connection' : 'connections'} in ${summary.seconds} s: ${parts.join(', ')}; ` +
        `${bytes.received} bytes received, ${bytes.sent} sent`,
    );
    for (const place of summary.unseen) this.#line(`expected, and never came: ${formatPlace(place)}`);
    if (dropped > 0) this.#explain(TURNED_AWAY, 'prlimit --nofile=65536 origdst listen-test …');
    for (const { arrival, count } of this.#reasons.values()) {
      this.#explain(`${arrival.verdict}${count > 1 ? ` (${count})` : ''}: ${arrival.cause}`, arrival.remedy);
    }
    if (summary.ended === 'timeout' && intercepted === 0) this.#diagnosis(summary.problems);
  }

  #diagnosis(problems: Summary['problems']): void {
    if (problems.length === 0) {
      this.#explain(NOTHING_AMISS, 'tcpdump -ni any   # do the packets reach this host at all?');
    }
    for (const { severity, cause, remedy } of problems) this.#explain(`${severity}: ${cause}`, remedy);
  }

  #explain(sentence: string, remedy: string | null): void {
    this.#line('');
    this.#line(wrap(sentence, this.#output.width, '  ', ''));
    if (remedy !== null) this.#line(this.#chalk.cyan(`  mend: ${remedy}`));
  }

  #columns(cells: readonly string[], last: string): string {
    const padded = cells.map((cell, at) => {
      this.#widths[at] = Math.max(this.#widths[at] ?? 0, cell.length);
      return cell.padEnd(this.#widths[at] ?? 0);
    });
    return `${padded.join(' ')} ${last}`;
  }

  #line(text: string): void {
    this.#output.write(`${text}\n`);
  }
}

const WORDS: Record<Closed['ending'], string> = {
  closed: 'closed',
  stopped: 'stopped',
  reset: 'reset',
  unreachable: 'not carried on',
  loop: 'refused: a loop',
  direct: 'not carried on',
};

const TURNED_AWAY =
  'Connections were turned away because this process may not open more files (RLIMIT_NOFILE, getrlimit(2)).';

const NOTHING_AMISS =
  'Nothing was redirected here, and nothing on this host that could be read stands in its way.';

function place(at: Arrival['original']): string {
  return at === null ? '-' : formatPlace(at);
}
