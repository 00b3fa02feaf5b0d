/** Builds a backend of Linux with the replaying kernel, and runs it on scripts of calls (replay.c). */

import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Endpoint, Step } from '../../src/verdict.ts';

const FLAGS = ['-std=c11', '-O1', '-g', '-Wall', '-Wextra', '-Werror'];
const SANITIZERS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-fno-omit-frame-pointer'];

/** `getsockopt 0 200`, what the kernel writes, and its result or the name of the error. */
export interface Call {
  call: string;
  out?: string;
  result: number | string;
}

export interface Attempted {
  original: Endpoint | null;
  peer: Endpoint | null;
  local: Endpoint | null;
  steps: Step[];
  /** Why the backend did not ask what the script says; empty where it did. */
  mismatch: string;
}

export function buildLinuxReplay(root: string, mechanism: string): string {
  const folder = join(root, 'build', 'replay');
  const program = join(folder, `linux-${mechanism}`);
  const list = join(folder, `mechanisms_linux_${mechanism}.c`);
  const inputs = globSync(['native/*.[ch]', `platforms/linux/{${mechanism},host}/*.[ch]`, 'test/replay/*'], {
    cwd: root,
  });
  const isFresh = (input: string) => statSync(join(root, input)).mtimeMs < statSync(program).mtimeMs;
  if (existsSync(program) && inputs.every(isFresh)) return program;
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    list,
    `#include "mechanism.h"
extern const odst_mechanism odst_${mechanism};
const odst_mechanism *const odst_mechanisms[] = {&odst_${mechanism}, NULL};
`,
  );
  const sources = [
    list,
    `platforms/linux/${mechanism}/backend.c`,
    'native/address.c',
    'platforms/linux/host/message.c',
    'test/replay/message.c',
    'test/replay/replay.c',
    'test/replay/replay_kernel.c',
  ];
  execFileSync('cc', [...FLAGS, ...SANITIZERS, '-I', 'native', ...sources, '-o', program], { cwd: root });
  return program;
}

/** @param ask `lookup`, on descriptor 5, or `probe`, of lookup over IPv4 and TCP */
export function attempt(
  program: string,
  mechanism: string,
  ask: 'lookup' | 'probe',
  calls: readonly Call[],
): Attempted {
  const script = [
    `case ${ask}`,
    `ask ${mechanism} ${ask}`,
    ask === 'lookup' ? 'flow 5 6 0 0' : 'question lookup 4 6',
    ...calls.flatMap(({ call, out, result }) => [
      `call ${call}`,
      ...(out === undefined ? [] : [`out ${out}`]),
      `result ${typeof result === 'string' ? -errno(result) : result}`,
    ]),
    'run\n',
  ];
  const answer = JSON.parse(execFileSync(program, { input: script.join('\n'), encoding: 'utf8' }));
  return {
    ...answer,
    original: endpoint(answer.original),
    peer: endpoint(answer.peer),
    local: endpoint(answer.local),
  };
}

function errno(name: string): number {
  const number = (constants.errno as Record<string, number>)[name];
  if (number === undefined) throw new Error(`${name} has no number here`);
  return number;
}

function endpoint(raw: { family: 4 | 6; hex: string; port: number } | null): Endpoint | null {
  if (raw === null) return null;
  const bytes = [...Buffer.from(raw.hex, 'hex')];
  return { address: raw.family === 4 ? bytes.join('.') : raw.hex, port: raw.port, family: raw.family };
}
