/**
 * Compiles what this machine cannot run, with the headers that Zig bundles:
 *
 *   node scripts/test-cross/run.ts [--write]
 *
 * Every BSD backend against the real libc headers of its system, hosted and freestanding; the pinned headers against the
 * same, number by number; the addon for Linux on x64 and arm64, glibc and musl. --write renews platforms/abi/<os>/bundled.c.
 * Exit status 1 when something differs or does not compile.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Bsd, backends, SYSTEMS } from '../../test/replay/build.ts';
import { buildAddon, TARGETS } from './addon.ts';
import { checkHeaders } from './headers.ts';
import { compile, findZig, type Zig } from './zig.ts';

const ROOT = join(import.meta.dirname, '..', '..');

const STRICT = [
  '-std=c11',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wshadow',
  '-Wstrict-prototypes',
  '-Wmissing-prototypes',
];

/** What a program without libc has to bring: string.h, and address.c for the backends. */
const BROUGHT = /^(mem(cpy|set|cmp)|str(len|cmp|ncmp)|odst_\w+)$/;

let failures = 0;

mkdirSync(join(ROOT, 'build', 'cross'), { recursive: true });
const zig = findZig(ROOT);
say(`Zig ${zig.version}`);
for (const os of SYSTEMS) {
  say(`${os} (${release(zig, os)})`);
  compileBackends(zig, os);
  const { agreed, differs, missing } = checkHeaders(zig, ROOT, os, process.argv.includes('--write'));
  say(`  pinned headers: ${agreed} numbers, sizes and offsets as in the real ones`);
  for (const what of differs) fail(`  ${what}: the real header says otherwise`);
  for (const what of missing) say(`  ${what}: not checked, the bundled headers do not have it`);
}
say(
  '  not checked anywhere: nvlist_ref_t of NetBSD (nv.h is not installed); behaviour, which only a kernel shows',
);
for (const target of TARGETS) {
  const problem = buildAddon(zig, ROOT, target);
  if (problem === null) say(`${target.name}: addon built`);
  else fail(`${target.name}: ${problem}`);
}
say(failures === 0 ? 'all as it should be' : `${failures} failures`);
process.exit(failures === 0 ? 0 : 1);

/** As the addon compiles them, and as a bare program links them: no libc but string.h. */
function compileBackends(compiler: Zig, os: Bsd): void {
  const freestanding = ['address.c', ...backends(ROOT, os)];
  for (const source of [
    ...backends(ROOT, os),
    'native/address.c',
    `native/kernel_${os}.c`,
    'native/kernel_posix.c',
    `platforms/abi/${os}/recorded.c`,
  ]) {
    attempt(compiler, source, ['-target', `x86_64-${os}`, ...STRICT]);
    if (!freestanding.some((name) => source.endsWith(name))) continue;
    const include = ['generic', 'x86_64'].map(
      (machine) => `${compiler.headers}/${machine}-${os}${machine === 'generic' ? '' : '-none'}`,
    );
    // Zig keeps its compiler's own stdint.h in front even so: the system's is read first and shuts that one out.
    const own = ['-include', `${compiler.headers}/generic-${os}/stdint.h`, '-D__CLANG_STDINT_H'];
    const system = include.flatMap((path) => ['-isystem', path]);
    const bare = ['-ffreestanding', '-nostdinc', '-fno-stack-protector', '-fno-sanitize=all', '-O2'];
    const flags = [...bare, '-std=c11', '-w', ...own, ...system];
    attempt(compiler, source, ['-target', `x86_64-${os}`, ...flags]);
  }
  say(
    `  compiled against the real headers: ${backends(ROOT, os).length} backends, address.c, kernel_${os}.c, kernel_posix.c, recorded.c`,
  );
}

function attempt(compiler: Zig, source: string, flags: string[]): void {
  const object = join(ROOT, 'build', 'cross', 'object.o');
  const { ok, messages } = compile(
    compiler,
    'cc',
    [...flags, '-I', 'native', '-c', source, '-o', object],
    ROOT,
  );
  if (ok && flags.includes('-nostdinc')) checkSymbols(source, object);
  if (!ok) fail(`  ${source} ${flags.includes('-nostdinc') ? '(freestanding)' : ''}: ${messages.trim()}`);
}

function checkSymbols(source: string, object: string): void {
  const wanted = execFileSync('nm', ['-u', object], { encoding: 'utf8' }).split('\n');
  const names = wanted.map((line) => line.trim().split(' ').at(-1) ?? '').filter((name) => name !== '');
  const foreign = names.filter((name) => !BROUGHT.test(name));
  if (foreign.length > 0) fail(`  ${source} needs more than string.h: ${foreign.join(' ')}`);
}

/** Which release the headers are of, in the compiler's own words. */
function release(compiler: Zig, os: Bsd): string {
  const macro = { freebsd: '__FreeBSD_version', openbsd: 'OpenBSD', netbsd: '__NetBSD_Version__' }[os];
  const header = os === 'openbsd' ? ['-include', 'sys/param.h'] : [];
  const { messages } = compile(
    compiler,
    'cc',
    ['-target', `x86_64-${os}`, ...header, '-dM', '-E', '-x', 'c', '/dev/null'],
    ROOT,
  );
  const value = new RegExp(`#define ${macro} (.+)`).exec(messages)?.[1];
  return `${macro} ${value ?? 'unknown'}`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function fail(text: string): void {
  failures += 1;
  say(text);
}
