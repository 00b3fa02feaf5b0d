/** Made-up connections in the table of a private namespace: conntrack-entries.c, compiled once. */

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, renameSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Native, requireNative } from '../../src/native.ts';

const SOURCE = fileURLToPath(new URL('./conntrack-entries.c', import.meta.url));
const FOLDER = fileURLToPath(new URL('../../build/test', import.meta.url));
const PROGRAM = `${FOLDER}/conntrack-entries`;

/** Several test files may come here at once: each compiles under a name of its own. */
function program(): string {
  const compiled = statSync(PROGRAM, { throwIfNoEntry: false });
  if (compiled === undefined || compiled.mtimeMs < statSync(SOURCE).mtimeMs) {
    mkdirSync(FOLDER, { recursive: true });
    const own = `${PROGRAM}.${process.pid}`;
    execFileSync('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', own, SOURCE]);
    renameSync(own, PROGRAM);
  }
  return PROGRAM;
}

export class ConntrackTable {
  readonly #native: Native;
  readonly netns: number;

  constructor(native: Native = requireNative()) {
    const { fd } = native.newNamespace();
    assert(fd !== null);
    this.#native = native;
    this.netns = fd;
  }

  get path(): string {
    return `/proc/${process.pid}/fd/${this.netns}`;
  }

  /** Entries FIRST to FIRST + COUNT - 1: mixed ones, or all of them redirected IPv4 TCP. */
  change(how: 'add' | 'delete', first: number, count: number, kind: 'mixed' | 'plain' = 'mixed'): void {
    const file = program();
    this.#native.inNamespace(this.netns, () => execFileSync(file, args(how, first, count, kind)));
  }

  /** The same, while this process goes on. */
  start(
    how: 'add' | 'delete',
    first: number,
    count: number,
    kind: 'mixed' | 'plain' = 'mixed',
  ): ChildProcess {
    const file = program();
    return this.#native.inNamespace(this.netns, () => spawn(file, args(how, first, count, kind)));
  }

  /** What a program inside the namespace prints. */
  run(command: string, commandArgs: readonly string[], input = ''): string {
    return this.#native.inNamespace(this.netns, () =>
      execFileSync(command, commandArgs, {
        input,
        encoding: 'utf8',
        maxBuffer: 1 << 29,
        stdio: ['pipe', 'pipe', 'ignore'],
      }),
    );
  }

  close(): void {
    this.#native.close(this.netns);
  }
}

/** Fills the table of a namespace that another test made. */
export function fillConntrack(native: Native, netns: number, count: number): void {
  const file = program();
  native.inNamespace(netns, () => execFileSync(file, args('add', 0, count, 'plain')));
}

function args(how: string, first: number, count: number, kind: string): string[] {
  return [how, String(first), String(count), ...(kind === 'plain' ? ['plain'] : [])];
}

/** The client of plain entry `n`, and where it was going: as make() in conntrack-entries.c has it. */
export function plainEntry(n: number): { peer: string; local: string; original: string } {
  const high = Math.floor(n / 60000);
  return {
    peer: `10.${high}.${(n >> 8) & 255}.${n & 255}:${1024 + (n % 60000)}`,
    local: '192.0.2.1:8110',
    original: `198.18.${n % 7}.${1 + (n % 250)}:80`,
  };
}
