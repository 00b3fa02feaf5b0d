/** A proxy that no one here wrote, installed from Debian and run inside a namespace of a lab. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, fstatSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { namespaceOf } from '../../src/host/namespaces.ts';
import { allProcesses, commandName } from '../../src/host/processes.ts';
import type { LabHost } from '../../src/lab/host.ts';
import type { Native } from '../../src/native.ts';
import { eventually } from './eventually.ts';

/** net/tcp_states.h */
const LISTEN = 10;

/**
 * Runs a program so that nothing of it can outlive this process, not even a daemon that it forks: it
 * gets a process namespace, which the kernel empties when the first process in it dies. That one is
 * a shell, and not the program, because a change of user clears the death signal (prctl(2)). And
 * /dev/shm is its own: Squid would leave segments there, by names that the host's Squid uses too.
 */
const TETHER = [
  ...['setpriv', '--pdeathsig', 'KILL'],
  ...['unshare', '--pid', '--mount', '--fork', '--kill-child=KILL'],
  ...['sh', '-c', 'mount -t tmpfs tmpfs /dev/shm && "$@"; exit $?', 'sh'],
];

export interface ProxyOptions {
  program: 'squid' | 'redsocks' | 'sslsplit' | 'haproxy' | 'dovecot';
  args: readonly string[];
  /** The TCP port that the proxy listens on once it is up. */
  port: number;
  /** How many sockets listen on it then. */
  listeners?: number;
}

export class RunningProxy {
  readonly program: string;
  readonly port: number;
  readonly #listeners: number;
  readonly #host: LabHost;
  readonly #child: ChildProcess;
  #output = '';

  constructor(native: Native, host: LabHost, { program, args, port, listeners = 1 }: ProxyOptions) {
    requireProgram(program);
    this.program = program;
    this.port = port;
    this.#listeners = listeners;
    this.#host = host;
    const [command = '', ...rest] = [...TETHER, program, ...args];
    this.#child = native.inNamespace(host.netns, () =>
      spawn(command, rest, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] }),
    );
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    }
  }

  /** Resolves when it listens; rejects with its own words when it ends instead. */
  async up(native: Native): Promise<void> {
    await eventually(
      () => {
        const { exitCode, signalCode } = this.#child;
        if (exitCode !== null || signalCode !== null) {
          throw new Error(`${this.program} ended (${exitCode ?? signalCode}): ${this.#output.trim()}`);
        }
        const sockets = ([4, 6] as const).flatMap(
          (family) => native.sockets(family, 'tcp', this.#host.netns).sockets,
        );
        const listening = sockets.filter(({ state, local }) => state === LISTEN && local.port === this.port);
        return listening.length >= this.#listeners;
      },
      () => `${this.program} to listen on port ${this.port}: ${this.#output.trim()}`,
    );
  }

  /** Its processes, and only those called by its name: not the shell, not its helpers. */
  get pids(): number[] {
    return processesIn(this.#host).filter((pid) => commandName(pid) === this.program);
  }

  /** The process that holds the connections: the one that no other was forked from. */
  get worker(): number {
    const parents = new Set(this.pids.map(parentOf));
    const workers = this.pids.filter((pid) => !parents.has(pid));
    const [worker] = workers;
    if (worker === undefined || workers.length > 1) {
      throw new Error(`${this.program} has ${workers.length} workers: ${workers}`);
    }
    return worker;
  }

  /** Kills it with all that it started, and waits until the namespace is empty. */
  async stop(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL');
    await eventually(
      () => processesIn(this.#host).length === 0,
      () => `the end of ${processesIn(this.#host).map((pid) => `${commandName(pid)}[${pid}]`)}`,
    );
  }
}

/** Every process whose network namespace is this one, helpers and forked children included. */
export function processesIn(host: LabHost): number[] {
  const { ino } = fstatSync(host.netns);
  return allProcesses().filter((pid) => namespaceOf(pid) === ino);
}

function parentOf(pid: number): number {
  const [, parent] = /^PPid:\s*([0-9]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(parent);
}

/** A test that cannot find its proxy fails: a skipped one would be read as agreement with it. */
function requireProgram(name: string): void {
  const folders = (process.env.PATH ?? '').split(delimiter);
  if (folders.some((folder) => existsSync(join(folder, name)))) return;
  throw new Error(`${name} is not in PATH; mend it with: apt-get install --no-install-recommends ${name}`);
}
