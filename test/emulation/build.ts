/** Compiles the emulation: the programs for the kernel, the loader, and the program that asks. */

import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const OWN = join(ROOT, 'test', 'emulation');
const WARNINGS = ['-Wall', '-Wextra', '-Werror'];
/** As Debian names it, and as others do. */
const COMPILERS = ['clang-14', 'clang'];
const TARGETS: Record<string, string> = { x64: 'x86', arm64: 'arm64' };

export interface Built {
  modules: string;
  loader: string;
  asker: string;
}

export function buildEmulation(): Built {
  const folder = join(ROOT, 'build', 'emulation');
  const built = {
    modules: join(folder, 'modules.bpf.o'),
    loader: join(folder, 'load'),
    asker: join(folder, 'ask'),
  };
  if (isFresh(Object.values(built))) return built;
  mkdirSync(folder, { recursive: true });
  const host = run('cc', ['-std=c11', '-O1', '-Wshadow', ...WARNINGS]);
  host([join(OWN, 'ask.c'), '-o', built.asker]);
  host([join(OWN, 'load.c'), '-lbpf', '-o', built.loader]);
  const kernel = run(clang(), ['-std=gnu11', '-O2', '-g', ...WARNINGS, '-target', 'bpf']);
  // Debian keeps asm/types.h in a folder of the architecture, which -target bpf does not know.
  const triple = execFileSync('cc', ['-dumpmachine'], { encoding: 'utf8' }).trim();
  const target = TARGETS[process.arch];
  if (target === undefined) throw new Error(`test/emulation/kernel.h does not know ${process.arch}`);
  kernel([
    `-D__TARGET_ARCH_${target}`,
    `-I/usr/include/${triple}`,
    '-c',
    join(OWN, 'modules.bpf.c'),
    '-o',
    built.modules,
  ]);
  return built;
}

function run(program: string, common: readonly string[]): (args: readonly string[]) => void {
  return (args) =>
    void execFileSync(program, [...common, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
}

function clang(): string {
  const path = (process.env.PATH ?? '').split(':');
  const found = COMPILERS.find((name) => path.some((folder) => existsSync(join(folder, name))));
  if (found === undefined) throw new Error('clang is not installed: scripts/system-packages.sh test');
  return found;
}

function isFresh(outputs: readonly string[]): boolean {
  if (!outputs.every((output) => existsSync(output))) return false;
  const oldest = Math.min(...outputs.map((output) => statSync(output).mtimeMs));
  return globSync('*.{c,h,ts}', { cwd: OWN }).every((input) => statSync(join(OWN, input)).mtimeMs < oldest);
}
