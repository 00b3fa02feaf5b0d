/** Flows as they come out of the table: lines of JSON, one JSON document, columns, or their number. */

import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { ByteWriter } from '../table/byte-writer.ts';
import { type Flow, writeFlow } from '../table/flow.ts';
import type { Selected } from '../table/select.ts';
import type { Step } from '../verdict.ts';
import { COLUMNS, flowRow, lineOf, type Row, rowOf, widthsOf, writeRow } from './flows-text.ts';

/** Gets the flows in parts, so that a table of any size goes through a memory of one. */
export interface FlowsOut {
  selected(part: Selected): Promise<void>;
  others(flows: readonly Flow[]): Promise<void>;
  end(evidence: readonly Step[]): Promise<void>;
}

const HEAD = '{"schema":"origdst.flows/1","flows":[\n';

async function write(output: Writable, text: string | Uint8Array): Promise<void> {
  if (text.length > 0 && !output.write(text)) await once(output, 'drain');
}

export class JsonLines implements FlowsOut {
  readonly #output: Writable;
  readonly #writer = new ByteWriter(1 << 21);
  constructor(output: Writable) {
    this.#output = output;
  }
  async selected({ records, wanted, count }: Selected): Promise<void> {
    for (let at = 0; at < count; at++) {
      writeFlow(this.#writer, records, wanted[at] ?? 0);
      this.#writer.ascii('\n');
    }
    await write(this.#output, this.#writer.take());
  }
  async others(flows: readonly Flow[]): Promise<void> {
    await write(this.#output, flows.map((flow) => `${JSON.stringify(flow)}\n`).join(''));
  }
  async end(): Promise<void> {}
}

/** One document, a flow a line: it is written while the table is read. */
export class JsonDocument implements FlowsOut {
  readonly #output: Writable;
  readonly #writer = new ByteWriter(1 << 21);
  #separator = HEAD;
  constructor(output: Writable) {
    this.#output = output;
  }
  async selected({ records, wanted, count }: Selected): Promise<void> {
    for (let at = 0; at < count; at++) {
      this.#separate();
      writeFlow(this.#writer, records, wanted[at] ?? 0);
    }
    await write(this.#output, this.#writer.take());
  }
  async others(flows: readonly Flow[]): Promise<void> {
    for (const flow of flows) {
      this.#separate();
      const text = JSON.stringify(flow);
      this.#writer.reserve(text.length);
      this.#writer.ascii(text);
    }
    await write(this.#output, this.#writer.take());
  }
  async end(evidence: readonly Step[]): Promise<void> {
    const head = this.#separator === HEAD ? HEAD.trimEnd() : '\n';
    await write(this.#output, `${head}],"evidence":${JSON.stringify(evidence)}}\n`);
  }
  #separate(): void {
    this.#writer.reserve(HEAD.length);
    this.#writer.ascii(this.#separator);
    this.#separator = ',\n';
  }
}

export class Columns implements FlowsOut {
  readonly #output: Writable;
  readonly #writer = new ByteWriter(1 << 20);
  #widths: number[] | null = null;
  constructor(output: Writable) {
    this.#output = output;
  }
  async selected({ records, wanted, count }: Selected): Promise<void> {
    const widths = this.#begin(() => Array.from(wanted.subarray(0, count), (at) => rowOf(records, at)));
    for (let at = 0; at < count; at++) writeRow(this.#writer, records, wanted[at] ?? 0, widths);
    await write(this.#output, this.#writer.take());
  }
  async others(flows: readonly Flow[]): Promise<void> {
    if (flows.length === 0) return;
    const rows = flows.map(flowRow);
    const widths = this.#begin(() => rows);
    const text = rows.map((row) => `${lineOf(row, widths)}\n`).join('');
    await write(this.#output, Buffer.concat([this.#writer.take(), Buffer.from(text)]));
  }
  async end(): Promise<void> {}
  #begin(rows: () => readonly Row[]): readonly number[] {
    if (this.#widths === null) {
      this.#widths = widthsOf(rows());
      this.#writer.ascii(`${lineOf(COLUMNS, this.#widths)}\n`);
    }
    return this.#widths;
  }
}

export class Count implements FlowsOut {
  readonly #output: Writable;
  readonly #json: boolean;
  #count = 0;
  constructor(output: Writable, json: boolean) {
    this.#output = output;
    this.#json = json;
  }
  async selected({ count }: Selected): Promise<void> {
    this.#count += count;
  }
  async others(flows: readonly Flow[]): Promise<void> {
    this.#count += flows.length;
  }
  async end(evidence: readonly Step[]): Promise<void> {
    const document = { schema: 'origdst.flows-count/1', count: this.#count, evidence };
    await write(this.#output, this.#json ? `${JSON.stringify(document, null, 2)}\n` : `${this.#count}\n`);
  }
}
