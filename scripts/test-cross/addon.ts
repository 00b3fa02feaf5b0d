/** The addon for other machines, libcs and systems, built with the headers of Node-API from npm. */

import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Bsd } from '../../test/replay/build.ts';
import { compile, type Zig } from './zig.ts';

export interface Target {
  name: string;
  os: 'linux' | Bsd;
  zig: string;
  /** e_machine of its ELF header: EM_X86_64, EM_AARCH64. */
  machine: number;
}

/** glibc 2.28 is that of the oldest system that Node's own builds run on. */
export const TARGETS: readonly Target[] = [
  { os: 'linux', name: 'linux-x64-glibc', zig: 'x86_64-linux-gnu.2.28', machine: 62 },
  { os: 'linux', name: 'linux-arm64-glibc', zig: 'aarch64-linux-gnu.2.28', machine: 183 },
  { os: 'linux', name: 'linux-x64-musl', zig: 'x86_64-linux-musl', machine: 62 },
  { os: 'linux', name: 'linux-arm64-musl', zig: 'aarch64-linux-musl', machine: 183 },
  { os: 'freebsd', name: 'freebsd-x64', zig: 'x86_64-freebsd', machine: 62 },
  { os: 'openbsd', name: 'openbsd-x64', zig: 'x86_64-openbsd', machine: 62 },
  { os: 'netbsd', name: 'netbsd-x64', zig: 'x86_64-netbsd', machine: 62 },
];

const WARNINGS = ['-Wall', '-Wextra', '-Werror', '-fPIC', '-fvisibility=hidden', '-O2'];

/** @returns null where it was built, else what the compiler said */
export function buildAddon(zig: Zig, root: string, target: Target): string | null {
  const folder = join(root, 'build', 'cross', target.name);
  mkdirSync(folder, { recursive: true });
  // The folders that CMakeLists.txt takes.
  const folders = target.os === 'linux' ? ['linux'] : [target.os, 'bsd'];
  const mechanisms = globSync(
    folders.map((folder) => `platforms/${folder}/*/backend.c`),
    { cwd: root },
  ).sort();
  const list = join(folder, 'mechanisms.c');
  writeFileSync(list, mechanismList(mechanisms.map((path) => basename(dirname(path)))));
  const c = [
    ...globSync(
      folders.map((folder) => `platforms/${folder}/*/*.c`),
      { cwd: root },
    ),
    'native/address.c',
    'native/kernel_posix.c',
    `native/kernel_${target.os}.c`,
    list,
  ];
  const cc = globSync('native/*.cc', { cwd: root });
  const objects: string[] = [];
  for (const source of [...c, ...cc]) {
    const isC = source.endsWith('.c');
    const object = join(folder, `${source.replaceAll(/[^a-z0-9]+/gi, '_')}.o`);
    const language = isC
      ? ['-std=gnu11', '-Wshadow', '-Wmissing-prototypes']
      : ['-std=gnu++17', ...nodeApi(root)];
    const args = [
      '-target',
      target.zig,
      ...WARNINGS,
      ...language,
      '-I',
      'native',
      '-c',
      source,
      '-o',
      object,
    ];
    const { ok, messages } = compile(zig, isC ? 'cc' : 'c++', args, root);
    if (!ok) return `${source}: ${messages.trim()}`;
    objects.push(object);
  }
  const addon = join(folder, 'origdst.node');
  const linked = compile(zig, 'c++', ['-target', target.zig, '-shared', '-s', ...objects, '-o', addon], root);
  if (!linked.ok) return linked.messages.trim();
  const machine = readFileSync(addon).readUInt16LE(18);
  return machine === target.machine ? null : `the result is for machine ${machine}, not ${target.machine}`;
}

function nodeApi(root: string): string[] {
  const include = (name: string) =>
    execFileSync(process.execPath, ['-p', `require('${name}').include_dir ?? require('${name}').include`], {
      cwd: root,
      encoding: 'utf8',
    })
      .trim()
      .replaceAll('"', '');
  return [
    '-DNAPI_VERSION=8',
    '-DNODE_ADDON_API_CPP_EXCEPTIONS',
    '-isystem',
    include('node-api-headers'),
    '-isystem',
    include('node-addon-api'),
  ];
}

function mechanismList(names: readonly string[]): string {
  return [
    '#include "mechanism.h"',
    ...names.map((name) => `extern const odst_mechanism odst_${name};`),
    `const odst_mechanism *const odst_mechanisms[] = {${names.map((name) => `&odst_${name}, `).join('')}NULL};`,
    '',
  ].join('\n');
}
