/** Builds, on Linux, the backends of one BSD against the pinned headers of that system, with the replaying kernel. */

import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export type Bsd = 'freebsd' | 'openbsd' | 'netbsd';

export const SYSTEMS: readonly Bsd[] = ['freebsd', 'openbsd', 'netbsd'];

const MACRO: Record<Bsd, string> = {
  freebsd: '__FreeBSD__',
  openbsd: '__OpenBSD__',
  netbsd: '__NetBSD__',
};

const WARNINGS = [
  '-std=c11',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wshadow',
  '-Wstrict-prototypes',
  '-Wmissing-prototypes',
];
const SANITIZERS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-fno-omit-frame-pointer'];

/** The backend.c of every mechanism of a system. */
export function backends(root: string, os: Bsd): string[] {
  return [...globSync(`platforms/{${os},bsd}/*/backend.c`, { cwd: root })].sort();
}

/** The program, as new as its sources. `sanitize: false` builds it quickly, for the mutations. */
export function buildReplay(root: string, os: Bsd, { sanitize = true } = {}): string {
  const folder = join(root, 'build', 'replay');
  const program = join(folder, sanitize ? os : `${os}-plain`);
  if (sanitize && isFresh(program, root)) return program;
  mkdirSync(folder, { recursive: true });
  const own = sanitize && process.platform === 'linux' ? ['-O1', '-g', ...SANITIZERS] : ['-O0'];
  const objects: string[] = [];
  const compile = (source: string, flags: string[]) => {
    const object = join(folder, `${os}-${basename(dirname(source))}-${basename(source, '.c')}.o`);
    execFileSync('cc', [...WARNINGS, ...own, ...flags, '-I', 'native', '-c', source, '-o', object], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    objects.push(object);
  };
  const pinned = pinnedFlags(os);
  const mechanisms = backends(root, os);
  const rest = [
    'native/address.c',
    `platforms/${os}/host/message.c`,
    'test/replay/message.c',
    `platforms/abi/${os}/recorded.c`,
    `platforms/abi/${os}/bundled.c`,
  ];
  for (const source of [...mechanisms, ...rest]) {
    compile(source, pinned);
  }
  const list = join(folder, `mechanisms_${os}.c`);
  writeFileSync(list, mechanismList(mechanisms));
  for (const source of [list, 'test/replay/replay.c', 'test/replay/replay_kernel.c']) compile(source, []);
  execFileSync('cc', [...own, ...objects, '-o', program], { cwd: root });
  return program;
}

/** As if on that system: its macro, its headers and no others. */
export function pinnedFlags(os: Bsd): string[] {
  return [
    '-ffreestanding',
    '-nostdinc',
    '-U__linux__',
    '-Ulinux',
    ...Object.values(MACRO).map((macro) => `-U${macro}`),
    `-D${MACRO[os]}=1`,
    '-isystem',
    `platforms/abi/${os}`,
    '-isystem',
    'platforms/abi/common',
  ];
}

function mechanismList(sources: readonly string[]): string {
  const names = sources.map((source) => basename(dirname(source)));
  return [
    '#include "mechanism.h"',
    ...names.map((name) => `extern const odst_mechanism odst_${name};`),
    `const odst_mechanism *const odst_mechanisms[] = {${names.map((name) => `&odst_${name}, `).join('')}NULL};`,
    '',
  ].join('\n');
}

function isFresh(program: string, root: string): boolean {
  if (!existsSync(program)) return false;
  const built = statSync(program).mtimeMs;
  const inputs = globSync(['native/*.[ch]', 'platforms/**/*.[ch]', 'test/replay/*'], { cwd: root });
  return inputs.every((input) => statSync(join(root, input)).mtimeMs < built);
}
