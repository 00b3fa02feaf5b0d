/**
 * A kernel that has IPFIRE-wall, or the TPROXY 2 patch, for the processes that are started in it: an emulation by
 * programs in this host's own kernel, attached to a cgroup. It and its cgroup go when the test process goes.
 */

import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Ran } from '../support/cli.ts';
import { RUN } from '../support/cli.ts';
import { buildEmulation } from './build.ts';
import { Lines } from './lines.ts';

/** What the kernel heard: counted on the path of the system calls. */
export interface Counters {
  /** setsockopt(SOL_IP, 200), which would be MRT_INIT. */
  set200: number;
  get200: number;
  /** Of these, refusals for which the module writes a line to the kernel log. */
  logged: number;
  /** setsockopt with a number that was TPROXY 1.2's and is another option today. */
  setTproxy1: number;
}

/** A redirected connection as the module's table has it; addresses as ADDRESS:PORT. */
export interface EmulatedFlow {
  peer: string;
  local: string;
  original: string;
  /** What the module leaves in sin_zero, 16 hexadecimal digits. */
  stale?: string;
}

/** 2.0.6 */
export const TPROXY_VERSION = 0x02_00_00_06;

export class Emulation {
  readonly #loader: ChildProcess;
  readonly #lines: Lines;
  #members = '';

  private constructor(loader: ChildProcess, lines: Lines) {
    this.#loader = loader;
    this.#lines = lines;
  }

  static async start(): Promise<Emulation> {
    const { loader, modules } = buildEmulation();
    const child = spawn(loader, [modules], { stdio: ['pipe', 'pipe', 'inherit'] });
    const emulation = new Emulation(child, new Lines(child));
    const [word, path = ''] = (await emulation.#lines.next()).split(' ');
    if (word !== 'cgroup') throw new Error('the emulation could not be loaded');
    emulation.#members = path;
    return emulation;
  }

  /** The process that holds everything. */
  get pid(): number {
    return this.#loader.pid ?? 0;
  }

  async set(what: 'ipfire' | 'untracked' | 'tproxy2', value: number): Promise<void> {
    await this.#order(`set ${what} ${value}`);
  }

  async flow({ peer, local, original, stale = '10d28a00000011ff' }: EmulatedFlow): Promise<void> {
    await this.#order(
      `flow ${[peer, local, original].map((end) => end.replace(':', ' ')).join(' ')} ${stale}`,
    );
  }

  /** Empties the module's table. */
  async forget(): Promise<void> {
    await this.#order('forget');
  }

  async counters(): Promise<Counters> {
    this.#loader.stdin?.write('counters\n');
    return JSON.parse(await this.#lines.next());
  }

  async #order(line: string): Promise<void> {
    this.#loader.stdin?.write(`${line}\n`);
    const answer = await this.#lines.next();
    if (answer !== 'ok') throw new Error(`${line}: ${answer}`);
  }

  /** What this process makes meanwhile is the emulation's: a socket belongs to the cgroup that it was made in. */
  within<T>(callback: () => T): T {
    const home = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
    writeFileSync(this.#members, String(process.pid));
    try {
      return callback();
    } finally {
      writeFileSync(join(dirname(dirname(this.#members)), home, 'cgroup.procs'), String(process.pid));
    }
  }

  /** A program whose sockets, and those of its children, are the emulation's. */
  spawn(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
    return spawn('sh', this.#enter(program, args), options);
  }

  /** The installed command, run to its end. `prefix`: a program that runs it, with its own arguments. */
  origdst(args: readonly string[], prefix: readonly string[] = []): Ran {
    const [program = '', ...rest] = [...prefix, process.execPath, RUN, ...args];
    const child = spawnSync('sh', this.#enter(program, rest), { encoding: 'utf8', timeout: 30_000 });
    return { code: child.status, stdout: child.stdout, stderr: child.stderr };
  }

  #enter(program: string, args: readonly string[]): string[] {
    return ['-c', 'echo $$ >"$0" && exec "$@"', this.#members, program, ...args];
  }

  async stop(): Promise<void> {
    const ended = once(this.#loader, 'exit');
    this.#loader.stdin?.end();
    await ended;
  }
}
