/** One machine of a lab: a network namespace that ends when its descriptor is closed. */

import { spawn, spawnSync } from 'node:child_process';
import { closeSync, writeFileSync } from 'node:fs';
import type { Native } from '../native.ts';
import type { Step } from '../verdict.ts';
import { findProgram } from './programs.ts';

/** Something in the lab could not be set up: what was tried, what the system said, what mends it. */
export class LabError extends Error {
  readonly step: Step | null;
  readonly remedy: string | null;
  constructor(message: string, step: Step | null = null, remedy: string | null = null) {
    super(message);
    this.step = step;
    this.remedy = remedy;
  }
}

/** The package that brings a program, where its name is another one. */
const PACKAGES: Record<string, string> = { ip: 'iproute2', nft: 'nftables' };
const LIMIT_MS = 20_000;

/**
 * iptables-legacy would leave a lock file in the host's /run, which an unprivileged user cannot even
 * write. The rules of a private namespace need no lock against others: iptables/xshared.c.
 */
const ENVIRONMENT = { XTABLES_LOCKFILE: '/dev/null', LC_ALL: 'C' };

export class LabHost {
  readonly name: string;
  /** Descriptor of the namespace. Nothing else refers to it: it goes when this process goes. */
  readonly netns: number;
  readonly #native: Native;

  /** @throws {LabError} when this user may not make a network namespace */
  constructor(native: Native, name: string) {
    const { fd, steps } = native.newNamespace();
    const step = steps.at(-1) ?? null;
    if (fd === null) throw new LabError(`${step?.call} ${step?.target} says ${step?.errorName}`, step);
    this.name = name;
    this.netns = fd;
    this.#native = native;
  }

  /** A path by which other programs can open the namespace. */
  get path(): string {
    return `/proc/${process.pid}/fd/${this.netns}`;
  }

  /**
   * Runs a program inside, with `input` on its standard input.
   * @throws {LabError} with its words when it fails
   */
  run(command: string, args: readonly string[], input = ''): string {
    const program = locate(command);
    const child = this.within(() =>
      spawnSync(program, args, {
        input,
        encoding: 'utf8',
        timeout: LIMIT_MS,
        env: { ...process.env, ...ENVIRONMENT },
      }),
    );
    if (child.error !== undefined) throw new LabError(`${command}: ${child.error.message}`);
    if (child.status !== 0) throw this.#failed(command, args, child.stderr, child.status);
    return child.stdout;
  }

  /** Like `run`, but other proofs go on meanwhile. */
  async start(command: string, args: readonly string[], input = ''): Promise<string> {
    const program = locate(command);
    const child = this.within(() =>
      spawn(program, args, { timeout: LIMIT_MS, env: { ...process.env, ...ENVIRONMENT } }),
    );
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    // A program that ends before it has read everything: its exit status tells more than EPIPE.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const status = await new Promise<number | null>((resolve, reject) => {
      child.on('error', (error) => reject(new LabError(`${command}: ${error.message}`)));
      child.on('close', resolve);
    });
    if (status !== 0) throw this.#failed(command, args, errors, status);
    return output;
  }

  #failed(command: string, args: readonly string[], errors: string, status: number | null): LabError {
    return new LabError(`${command} ${args.join(' ')} in ${this.name}: ${errors.trim() || `exit ${status}`}`);
  }

  /** `ip -batch`: one command a line. */
  ip(...lines: string[]): void {
    this.run('ip', ['-batch', '-'], `${lines.join('\n')}\n`);
  }

  /** Sets `net.ipv4.ip_forward` and the like, in this namespace only. */
  sysctl(name: string, value: number): void {
    const path = `/proc/sys/${name.replaceAll('.', '/')}`;
    try {
      this.within(() => writeFileSync(path, String(value)));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const hint = code === 'EROFS' ? 'run it where /proc/sys is writable (docker run --privileged)' : null;
      throw new LabError(`write ${path} in ${this.name} says ${code}`, null, hint);
    }
  }

  /** Runs a synchronous callback with the thread inside the namespace. */
  within<T>(callback: () => T): T {
    return this.#native.inNamespace(this.netns, callback);
  }

  close(): void {
    closeSync(this.netns);
  }
}

function locate(command: string): string {
  const program = command.startsWith('/') ? command : findProgram(command);
  if (program !== null) return program;
  throw new LabError(`${command} is not installed`, null, `apt-get install ${PACKAGES[command] ?? command}`);
}
