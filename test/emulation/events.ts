/** `origdst listen-test --jsonl` inside the emulation and a namespace: its events as they come. */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { LabHost } from '../../src/lab/host.ts';
import type { Arrival, Listening, Summary } from '../../src/listen/arrival.ts';
import { RUN } from '../support/cli.ts';
import type { Emulation } from './emulation.ts';
import { Lines } from './lines.ts';

export class EmulatedListenTest {
  readonly #child: ChildProcess;
  readonly #lines: Lines;
  readonly #exit: Promise<unknown[]>;

  constructor(emulation: Emulation, host: LabHost, args: readonly string[]) {
    this.#child = host.within(() =>
      emulation.spawn(process.execPath, [RUN, 'listen-test', '--jsonl', ...args], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
    this.#exit = once(this.#child, 'exit');
    this.#lines = new Lines(this.#child);
  }

  async listening(): Promise<Listening> {
    return (await this.#next('listening')) as unknown as Listening;
  }

  async connection(): Promise<Arrival> {
    return (await this.#next('connection')) as unknown as Arrival;
  }

  async summary(): Promise<Summary & { code: number | null }> {
    const summary = (await this.#next('summary')) as unknown as Summary;
    const [code] = await this.#exit;
    return { ...summary, code: code as number | null };
  }

  async #next(wanted: string): Promise<{ event: string }> {
    for (;;) {
      const event = JSON.parse(await this.#lines.next());
      if (event.event === wanted) return event;
    }
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.#exit;
  }
}
