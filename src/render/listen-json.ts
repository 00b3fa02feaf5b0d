/** A listen test for machines: a line an event as it happens, or one document at the end. */

import type { Arrival, Closed, Listening, Observer, Summary } from '../listen/arrival.ts';
import { renderJson } from './json.ts';
import type { Output } from './output.ts';

const SCHEMA = 'origdst.listen-test/1';

/** `--jsonl`: every line says what it is. */
export class ListenLines implements Observer {
  readonly #output: Output;

  constructor(output: Output) {
    this.#output = output;
  }

  listening(listening: Listening): void {
    this.#event('listening', listening);
  }

  connection(arrival: Arrival): void {
    this.#event('connection', arrival);
  }

  closed(closed: Closed): void {
    this.#event('closed', closed);
  }

  summary(summary: Summary): void {
    this.#event('summary', summary);
  }

  #event(event: string, content: object): void {
    this.#output.write(`${JSON.stringify({ schema: SCHEMA, event, ...content })}\n`);
  }
}

/** `--json`: nothing before the end. */
export class ListenDocument implements Observer {
  readonly #output: Output;
  #listening: Listening | null = null;
  readonly #connections = new Map<number, Arrival & { closed: Closed | null }>();

  constructor(output: Output) {
    this.#output = output;
  }

  listening(listening: Listening): void {
    this.#listening = listening;
  }

  connection(arrival: Arrival): void {
    this.#connections.set(arrival.id, { ...arrival, closed: null });
  }

  closed(closed: Closed): void {
    const connection = this.#connections.get(closed.id);
    if (connection !== undefined) connection.closed = closed;
  }

  summary(summary: Summary): void {
    const connections = [...this.#connections.values()];
    renderJson({ schema: SCHEMA, listening: this.#listening, connections, summary }, this.#output);
  }
}
