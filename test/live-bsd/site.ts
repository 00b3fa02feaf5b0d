/** Running commands of the host, and undoing what they did: the last thing first, also when a test fails. */

import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

export class Site {
  readonly #undo: string[][] = [];

  /** Runs a command; `undo` is run when the site is torn down. @returns its output */
  run(command: readonly string[], undo?: string[], input?: string): string {
    const [program = '', ...args] = command;
    const run = spawnSync(program, args, {
      encoding: 'utf8',
      timeout: 20_000,
      ...(input === undefined ? {} : { input }),
    });
    assert.equal(run.status, 0, `${command.join(' ')}: ${run.stderr ?? run.error}`);
    if (undo !== undefined) this.#undo.push(undo);
    return run.stdout;
  }

  tearDown(): void {
    for (const [program = '', ...args] of this.#undo.reverse()) spawnSync(program, args, { timeout: 20_000 });
  }
}

interface Served {
  code: number;
  answer: {
    results: { verdict: string; mechanism: string; original: { address: string; port: number } | null }[];
  };
}

/** Starts the server under `prefix` (jexec, route exec), has a client connect, and answers what was looked up. */
export async function serveOne(
  prefix: readonly string[],
  server: readonly string[],
  client: readonly string[],
): Promise<Served> {
  const [program = '', ...args] = [...prefix, process.execPath, ...server];
  const child: ChildProcessByStdio<null, Readable, null> = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    assert.equal((await lines.next()).value, '{"listening":true}');
    const [nc = '', ...rest] = client;
    spawnSync(nc, rest, { input: '', timeout: 10_000 });
    return JSON.parse((await lines.next()).value ?? 'null') as Served;
  } finally {
    child.kill();
  }
}
