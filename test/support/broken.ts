/** A gateway that was set up wrongly: what the doctor says of it, and what its remedy does. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Diagnosis, Problem } from '../../src/diagnosis/doctor.ts';
import { endpoint } from '../../src/endpoint.ts';
import { readNetstat } from '../../src/host/counters.ts';
import type { LabHost } from '../../src/lab/host.ts';
import { CLIENT, Lab, SERVER } from '../../src/lab/lab.ts';
import type { Native } from '../../src/native.ts';
import type { Family } from '../../src/verdict.ts';
import { origdst, RUN, type RunOptions } from './cli.ts';

const SOL_IP = 0;
const SOL_IPV6 = 41;
const IP_TRANSPARENT = 19;
const IPV6_TRANSPARENT = 75;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
/** How long a connection may take that is expected to work, and one that is not. */
const PATIENCE_MS = 5000;
const SILENCE_MS = 150;

export interface Examined {
  code: number | null;
  diagnosis: Diagnosis;
}

export class Broken {
  readonly lab: Lab;
  readonly #native: Native;
  readonly #descriptors: number[] = [];

  constructor(native: Native) {
    this.#native = native;
    this.lab = new Lab(native);
  }

  close(): void {
    for (const fd of this.#descriptors) this.#native.close(fd);
    this.lab.close();
  }

  /** Rules as a file, a statement a line. */
  nft(...lines: string[]): void {
    this.lab.gateway.run('nft', ['-f', '-'], `${lines.join('\n')}\n`);
  }

  /** A chain of a table of its own. */
  chain(head: string, ...rules: string[]): void {
    this.nft('table inet t {', 'chain pre {', head, ...rules, '}', '}');
  }

  socket(host: LabHost, family: Family): number {
    const { fd } = this.#native.openSocket(family, 'tcp', host.netns);
    assert(fd !== null);
    this.#descriptors.push(fd);
    return fd;
  }

  /** A listener inside the gateway, held by this process. */
  listen(port: number, { address = '::', transparent = false, host = this.lab.gateway } = {}): number {
    const family = address.includes(':') ? 6 : 4;
    const fd = this.socket(host, family);
    this.#native.setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (transparent) this.makeTransparent(fd, family);
    assert.equal(this.#native.bind(fd, { address, port }).errorName, null);
    assert.equal(this.#native.listen(fd, 8).errorName, null);
    return fd;
  }

  makeTransparent(fd: number, family: Family): void {
    const step =
      family === 4
        ? this.#native.setOption(fd, SOL_IP, IP_TRANSPARENT, 1)
        : this.#native.setOption(fd, SOL_IPV6, IPV6_TRANSPARENT, 1);
    assert.equal(step.errorName, null);
  }

  /** Does a connection of the client to the server's port arrive at the listener? */
  arrives(
    listener: number,
    expected: boolean,
    family: Family = 4,
    port = 80,
    from = this.lab.client,
    to = SERVER[family],
  ): boolean {
    const client = this.socket(from, family);
    this.#native.connect(client, { address: to, port });
    const came = this.#native.poll([listener], 'read', expected ? PATIENCE_MS : SILENCE_MS).length === 1;
    this.#native.close(client);
    this.#descriptors.splice(this.#descriptors.indexOf(client), 1);
    if (came) this.#native.close(this.#native.accept(listener).result);
    return came;
  }

  /** Where the accepted connection was meant to go, as the socket itself says; null when none came. */
  original(listener: number, family: Family = 4): string | null {
    const client = this.socket(this.lab.client, family);
    this.#native.connect(client, { address: SERVER[family], port: 80 });
    if (this.#native.poll([listener], 'read', PATIENCE_MS).length === 0) return null;
    const fd = this.#native.accept(listener).result;
    const { original } = this.#native.lookup('netfilter', { fd, protocol: 'tcp' });
    this.#native.close(fd);
    return original === null ? null : original.address;
  }

  /** A connection from the client's address to the server: its descriptor, still waiting. */
  spoof(family: Family = 4): number {
    const fd = this.socket(this.lab.gateway, family);
    this.makeTransparent(fd, family);
    const bound = this.#native.bind(fd, { address: CLIENT[family], port: 0 });
    assert.equal(bound.errorName, null);
    this.#native.connect(fd, endpoint(SERVER[family], 80));
    return fd;
  }

  /** A process inside a namespace, so that others can find it. */
  hold(host: LabHost): ChildProcess {
    return this.#native.inNamespace(host.netns, () => spawn('sleep', ['60'], { stdio: 'ignore' }));
  }

  /** A counter of the gateway's kernel. */
  counter(name: string): number {
    return this.lab.gateway.within(() => readNetstat().values.get(name) ?? 0);
  }

  /** Was the handshake completed? */
  isAnswered(fd: number, expected: boolean): boolean {
    const writable = this.#native.poll([fd], 'write', expected ? PATIENCE_MS : SILENCE_MS);
    return writable.length === 1 && this.#native.describe(fd).peer !== null;
  }

  /** `origdst doctor --json` inside the gateway's namespace. */
  doctor(...args: string[]): Examined {
    return this.#doctor(args, {});
  }

  doctorAs(uid: number, ...args: string[]): Examined {
    return this.#doctor(args, { uid });
  }

  doctorWith(env: NodeJS.ProcessEnv, ...args: string[]): Examined {
    return this.#doctor(args, { env });
  }

  #doctor(args: string[], options: RunOptions): Examined {
    const ran = this.lab.gateway.within(() => origdst(['doctor', '--json', ...args], options));
    assert.equal(ran.stderr, '');
    return { code: ran.code, diagnosis: JSON.parse(ran.stdout) };
  }

  /** The cause that is named first; it has evidence, and the exit code says that it stands. */
  first(id: string, ...args: string[]): Problem {
    const { code, diagnosis } = this.doctor(...args);
    const [problem] = diagnosis.problems;
    assert.equal(problem?.id, id, JSON.stringify(diagnosis.problems, null, 1));
    assert(problem !== undefined);
    assert(problem.evidence.length > 0, 'a problem without evidence');
    assert.match(problem.cause, /\.$/);
    const stands = diagnosis.problems.some(
      ({ severity, certainty }) => severity === 'error' && certainty === 'found',
    );
    assert.equal(code, stands ? 3 : 0);
    return problem;
  }

  /** Does a handshake with the server's address succeed? */
  connects(address: string, port: number): boolean {
    const client = this.socket(this.lab.client, 4);
    this.#native.connect(client, { address, port });
    const answered = this.#native.poll([client], 'write', PATIENCE_MS).length === 1;
    return answered && this.#native.describe(client).peer !== null;
  }

  /** Starts a remedy that does not end by itself, with this program as `origdst`. */
  start({ remedy }: Problem): { stop(): Promise<void> } {
    const folder = mkdtempSync(join(tmpdir(), 'origdst-path-'));
    symlinkSync(RUN, join(folder, 'origdst'));
    const child = this.lab.gateway.within(() =>
      spawn('setpriv', ['--pdeathsig', 'KILL', 'sh', '-ec', remedy], {
        stdio: 'ignore',
        detached: true,
        env: { ...process.env, PATH: `${folder}:${dirname(process.execPath)}:${process.env.PATH}` },
      }),
    );
    return {
      stop: async () => {
        if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
        rmSync(folder, { recursive: true });
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      },
    };
  }

  /** Runs a remedy as it is printed. */
  mend({ remedy }: Problem, host: LabHost = this.lab.gateway): void {
    host.run('sh', ['-ec', remedy]);
  }
}
