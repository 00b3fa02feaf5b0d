/** `origdst listen-test --jsonl` as a user runs it inside a namespace: its events, its end. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { LabHost } from '../../src/lab/host.ts';
import type { Arrival, Closed, Listening, Summary } from '../../src/listen/arrival.ts';
import type { Native } from '../../src/native.ts';
import { RUN } from './cli.ts';
import { eventually } from './eventually.ts';

type Event =
  | ({ event: 'listening' } & Listening)
  | ({ event: 'connection' } & Arrival)
  | ({ event: 'closed' } & Closed)
  | ({ event: 'summary' } & Summary);

interface Options {
  /** The user and group to run it by. */
  uid?: number;
  /** The files that it may open (RLIMIT_NOFILE). */
  files?: number;
}

export class ListenTest {
  readonly events: Event[] = [];
  stderr = '';
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  #rest = '';

  private constructor(native: Native, host: LabHost, args: readonly string[], { uid, files }: Options) {
    const limit = files === undefined ? [] : ['prlimit', `--nofile=${files}:${files}`];
    const [command = '', ...rest] = [...limit, process.execPath, RUN, 'listen-test', '--jsonl', ...args];
    this.#child = native.inNamespace(host.netns, () =>
      spawn(command, rest, {
        stdio: ['ignore', 'pipe', 'pipe'],
        ...(uid === undefined ? {} : { uid, gid: uid }),
      }),
    );
    this.#exit = once(this.#child, 'close');
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n');
      this.#rest = lines.pop() ?? '';
      this.events.push(...lines.map((line) => JSON.parse(line) as Event));
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
  }

  /** Resolves when it listens. */
  static async start(
    native: Native,
    host: LabHost,
    args: readonly string[],
    options: Options = {},
  ): Promise<ListenTest> {
    const running = new ListenTest(native, host, args, options);
    await eventually(
      () => running.listening !== undefined || running.#child.exitCode !== null,
      () => `listen-test to listen: ${running.stderr}`,
    );
    if (running.listening === undefined) throw new Error(`listen-test ended: ${running.stderr}`);
    return running;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get listening(): Listening | undefined {
    return this.events.find((event) => event.event === 'listening');
  }

  get connections(): Arrival[] {
    return this.events.filter((event) => event.event === 'connection');
  }

  get closed(): Closed[] {
    return this.events.filter((event) => event.event === 'closed');
  }

  get summary(): Summary {
    const summary = this.events.find((event) => event.event === 'summary');
    if (summary === undefined) throw new Error(`there is no summary: ${this.stderr}`);
    return summary;
  }

  /** Resolves with the first `count` connections. */
  arrived(count: number): Promise<Arrival[]> {
    return eventually(
      () => this.connections.length >= count && this.connections,
      () => `${count} connections; there are ${this.connections.length}; ${this.stderr}`,
    );
  }

  ended(count: number): Promise<Closed[]> {
    return eventually(
      () => this.closed.length >= count && this.closed,
      () => `the end of ${count} connections; ${this.closed.length} have ended; ${this.stderr}`,
    );
  }

  /** The exit code, once it has ended by itself. */
  async exit(): Promise<number | null> {
    await this.#exit;
    return this.#child.exitCode;
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal);
    return this.exit();
  }
}
