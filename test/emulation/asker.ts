/** A process that makes sockets and asks about them call for call, lengths and bad pointers included (ask.c). */

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { LabHost } from '../../src/lab/host.ts';
import { buildEmulation } from './build.ts';
import type { Emulation } from './emulation.ts';
import { Lines } from './lines.ts';

export interface Answer {
  result: number;
  error: string | null;
  /** The length argument after getsockopt. */
  length?: number;
  /** The buffer after getsockopt, which was filled with aa before. */
  out?: string;
}

export type How = 'plain' | 'value' | 'length' | 'nobody' | 'stranger';

export class Asker {
  readonly #child: ChildProcess;
  readonly #lines: Lines;
  #made = 0;

  /**
   * @param emulation null: on this host's own kernel
   * @param prefix a program that runs it, with its own arguments
   */
  constructor(emulation: Emulation | null, prefix: readonly string[] = []) {
    const [program = '', ...args] = [...prefix, buildEmulation().asker];
    const options: SpawnOptions = { stdio: ['pipe', 'pipe', 'inherit'] };
    this.#child =
      emulation === null ? spawn(program, args, options) : emulation.spawn(program, args, options);
    this.#lines = new Lines(this.#child);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async call(line: string): Promise<Answer> {
    this.#child.stdin?.write(`${line}\n`);
    return JSON.parse(await this.#lines.next());
  }

  /** A call that has to succeed. */
  async must(line: string): Promise<void> {
    const { result, error } = await this.call(line);
    if (result < 0) throw new Error(`${line}: ${error}`);
  }

  async enter(host: LabHost): Promise<void> {
    await this.must(`namespace ${host.path}`);
  }

  /** The number by which the descriptor is called from now on. */
  async make(verb: string, rest = ''): Promise<number> {
    const number = this.#made++;
    await this.must(`${verb} ${number} ${rest}`.trim());
    return number;
  }

  async accept(listener: number): Promise<number> {
    const number = this.#made++;
    await this.must(`accept ${listener} ${number}`);
    return number;
  }

  async copy(descriptor: number): Promise<number> {
    const number = this.#made++;
    await this.must(`copy ${descriptor} ${number}`);
    return number;
  }

  async names(descriptor: number): Promise<{ local: string | null; peer: string | null }> {
    this.#child.stdin?.write(`names ${descriptor}\n`);
    return JSON.parse(await this.#lines.next());
  }

  get(
    descriptor: number,
    level: number,
    option: number,
    length: number,
    how: How = 'plain',
  ): Promise<Answer> {
    return this.call(`get ${descriptor} ${level} ${option} ${length} ${how}`);
  }

  /** getsockopt with a buffer that says what is asked for. */
  fill(descriptor: number, level: number, option: number, hex: string): Promise<Answer> {
    return this.call(`fill ${descriptor} ${level} ${option} ${hex}`);
  }

  set(descriptor: number, level: number, option: number, hex: string): Promise<Answer> {
    return this.call(`give ${descriptor} ${level} ${option} ${hex}`);
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await ended;
  }
}
