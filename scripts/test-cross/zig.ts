/** Finds Zig, whose package carries the libc headers of the BSDs and of glibc and musl. */

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** As tested; another version may bundle the headers of other releases. */
const PACKAGE = 'ziglang==0.17.1';

export interface Zig {
  /** The command with its first arguments. */
  command: string[];
  version: string;
  /** Where the libc headers are. */
  headers: string;
}

/** $ZIG, a `zig` in PATH, or the PyPI package in a virtual environment of the build folder, installed when it is not there. */
export function findZig(root: string): Zig {
  const venv = join(root, 'build', 'zig');
  const candidates = [
    ...(process.env.ZIG === undefined ? [] : [[process.env.ZIG]]),
    ['zig'],
    [join(venv, 'bin', 'python'), '-m', 'ziglang'],
  ];
  for (const command of candidates) {
    const zig = tryZig(command);
    if (zig !== null) return zig;
  }
  process.stderr.write(`test-cross: installing ${PACKAGE} in ${venv}\n`);
  execFileSync('python3', ['-m', 'venv', venv], { stdio: 'inherit' });
  execFileSync(join(venv, 'bin', 'pip'), ['install', '--quiet', PACKAGE], { stdio: 'inherit' });
  const zig = tryZig([join(venv, 'bin', 'python'), '-m', 'ziglang']);
  if (zig === null) throw new Error(`${PACKAGE} was installed and does not run`);
  return zig;
}

function tryZig(command: string[]): Zig | null {
  const [program = '', ...rest] = command;
  if (program.includes('/') && !existsSync(program)) return null;
  const run = spawnSync(program, [...rest, 'env'], { encoding: 'utf8' });
  if (run.status !== 0) return null;
  const value = (name: string) => new RegExp(`"?${name}"?\\s*[:=]\\s*"([^"]+)"`).exec(run.stdout)?.[1] ?? '';
  return { command, version: value('version'), headers: join(value('lib_dir'), 'libc', 'include') };
}

export interface CompileResult {
  ok: boolean;
  messages: string;
}

/** @param language `cc` or `c++` */
export function compile(zig: Zig, language: 'cc' | 'c++', args: string[], cwd: string): CompileResult {
  const [program = '', ...rest] = zig.command;
  const run = spawnSync(program, [...rest, language, ...args], { cwd, encoding: 'utf8', maxBuffer: 1 << 26 });
  return { ok: run.status === 0, messages: `${run.stdout}${run.stderr}` };
}
