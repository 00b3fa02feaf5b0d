/** Connections as they come and go: a line each, or a table that is drawn anew on a terminal. */

import { once } from 'node:events';
import type { WriteStream } from 'node:tty';
import type { Flow } from '../table/flow.ts';
import type { News } from '../table/follow.ts';
import { COLUMNS, flowRow, lineOf, widthsOf } from './flows-text.ts';

/** JSON lines, or lines of columns with a sign before each. */
export class FlowLines {
  readonly #output: NodeJS.WriteStream;
  readonly #json: boolean;

  constructor(output: NodeJS.WriteStream, json: boolean) {
    this.#output = output;
    this.#json = json;
  }

  async show(news: News): Promise<void> {
    if (news.event === 'quiet') return;
    const text = this.#json ? JSON.stringify(news) : wordsOf(news);
    if (!this.#output.write(`${text}\n`)) await once(this.#output, 'drain');
  }

  end(): void {}
}

const SIGNS = { present: '=', new: '+', destroyed: '-' } as const;

function wordsOf(news: Exclude<News, { event: 'quiet' }>): string {
  if (news.event === 'lost') return `! ${lostText(news.lost)}; the table is read anew`;
  return `${SIGNS[news.event]} ${lineOf(flowRow(news.flow), [4, 21, 21, 21, 11, 0])}`;
}

function lostText(lost: number | null): string {
  return `${lost ?? 'an unknown number of'} event${lost === 1 ? '' : 's'} lost: the kernel’s buffer was full`;
}

const REDRAW_MS = 500;
const HOME = '\u001b[H';
const REST_OF_LINE = '\u001b[K';
const REST_OF_SCREEN = '\u001b[J';
/** Another screen, so that what was on the terminal comes back: xterm, and all that follow it. */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';

/** The newest connections that fit the terminal, drawn at most twice a second. */
export class FlowScreen {
  readonly #output: WriteStream;
  readonly #flows = new Map<string, Flow>();
  #come = 0;
  #gone = 0;
  #lost: number | null = 0;
  #drawn = 0;

  constructor(output: WriteStream) {
    this.#output = output;
    output.write(ENTER);
    process.once('exit', () => void output.write(LEAVE));
  }

  async show(news: News): Promise<void> {
    if (news.event === 'lost') this.#lost = news.total;
    if (news.event === 'present' || news.event === 'new') {
      this.#flows.set(keyOf(news.flow), news.flow);
      if (news.event === 'new') this.#come += 1;
    }
    if (news.event === 'destroyed') {
      this.#flows.delete(keyOf(news.flow));
      this.#gone += 1;
    }
    const now = performance.now();
    if (now - this.#drawn < REDRAW_MS) return;
    this.#drawn = now;
    if (!this.#output.write(this.#frame())) await once(this.#output, 'drain');
  }

  end(): void {}

  #frame(): string {
    const { rows: height = 24, columns: width = 80 } = this.#output;
    const shown = newest(this.#flows, Math.max(height - 3, 1));
    const rows = shown.map(flowRow);
    const widths = widthsOf(rows);
    const loss = this.#lost === 0 ? '' : `, ${lostText(this.#lost)}`;
    const head = `${this.#flows.size} connections, ${this.#come} new, ${this.#gone} ended${loss}`;
    const lines = [head, '', lineOf(COLUMNS, widths), ...rows.map((row) => lineOf(row, widths))];
    const text = lines.slice(0, height - 1).map((line) => `${line.slice(0, width)}${REST_OF_LINE}\r\n`);
    return `${HOME}${text.join('')}${REST_OF_SCREEN}`;
  }
}

function newest(flows: ReadonlyMap<string, Flow>, count: number): Flow[] {
  const all = [...flows.values()];
  return all.slice(Math.max(all.length - count, 0)).reverse();
}

function keyOf({ protocol, client, original, zone, icmp }: Flow): string {
  return `${protocol} ${client.address} ${client.port} ${original.address} ${original.port} ${zone} ${icmp?.id}`;
}
