/** One machine of a lab: a network namespace that ends when its descriptor is closed. */

import { spawnSync } from 'node:child_process';
import { closeSync, writeFileSync } from 'node:fs';
import type { Native } from '../native.ts';
import type { Step } from '../verdict.ts';

/** Something in the lab could not be set up: what was tried, and what the system said. */
export class LabError extends Error {
  readonly step: Step | null;
  constructor(message: string, step: Step | null = null) {
    super(message);
    this.step = step;
  }
}

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
    const child = this.within(() => spawnSync(command, args, { input, encoding: 'utf8', timeout: 20_000 }));
    if (child.error !== undefined) throw new LabError(`${command}: ${child.error.message}`);
    if (child.status !== 0) {
      throw new LabError(
        `${command} ${args.join(' ')} in ${this.name}: ${child.stderr.trim() || `exit ${child.status}`}`,
      );
    }
    return child.stdout;
  }

  /** `ip -batch`: one command a line. */
  ip(...lines: string[]): void {
    this.run('ip', ['-batch', '-'], `${lines.join('\n')}\n`);
  }

  /** Sets `net.ipv4.ip_forward` and the like, in this namespace only. */
  sysctl(name: string, value: number): void {
    this.within(() => writeFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, String(value)));
  }

  /** Runs a synchronous callback with the thread inside the namespace. */
  within<T>(callback: () => T): T {
    return this.#native.inNamespace(this.netns, callback);
  }

  close(): void {
    closeSync(this.netns);
  }
}
