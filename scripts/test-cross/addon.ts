/** The addon for Linux on other machines and libcs, built with the headers of Node-API from npm. */

import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { compile, type Zig } from './zig.ts';

export interface LinuxTarget {
  name: string;
  zig: string;
  /** e_machine of its ELF header: EM_X86_64, EM_AARCH64. */
  machine: number;
}

/** glibc 2.28 is that of the oldest system that Node's own builds run on. */
export const LINUX: readonly LinuxTarget[] = [
  { name: 'linux-x64-glibc', zig: 'x86_64-linux-gnu.2.28', machine: 62 },
  { name: 'linux-arm64-glibc', zig: 'aarch64-linux-gnu.2.28', machine: 183 },
  { name: 'linux-x64-musl', zig: 'x86_64-linux-musl', machine: 62 },
  { name: 'linux-arm64-musl', zig: 'aarch64-linux-musl', machine: 183 },
];

const WARNINGS = ['-Wall', '-Wextra', '-Werror', '-fPIC', '-fvisibility=hidden', '-O2'];

/** @returns null where it was built, else what the compiler said */
export function buildAddon(zig: Zig, root: string, target: LinuxTarget): string | null {
  const folder = join(root, 'build', 'cross', target.name);
  mkdirSync(folder, { recursive: true });
  const mechanisms = globSync('platforms/linux/*/backend.c', { cwd: root }).sort();
  const list = join(folder, 'mechanisms.c');
  writeFileSync(list, mechanismList(mechanisms.map((path) => basename(dirname(path)))));
  const c = [
    ...globSync('platforms/linux/*/*.c', { cwd: root }),
    'native/address.c',
    'native/kernel_posix.c',
    'native/kernel_linux.c',
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
