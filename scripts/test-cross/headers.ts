/** The pinned headers against a real system's: number by number, offset by offset. */

import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bsd, pinnedFlags } from '../../test/replay/build.ts';
import { compile, type Zig } from './zig.ts';

/** One statement about a system: a number, a size, or an offset. */
interface Fact {
  what: string;
  /** In C; its value is what both sides must agree on. */
  expression: string;
}

export interface HeaderCheck {
  agreed: number;
  /** The real header has it, with another value. */
  differs: string[];
  /** The bundled headers do not have it. */
  missing: string[];
}

/** Included first, in this order: as the backends do. */
const INCLUDES: Record<Bsd, string[]> = {
  openbsd: [
    'sys/types.h',
    'sys/socket.h',
    'sys/ioctl.h',
    'net/if.h',
    'netinet/in.h',
    'net/pfvar.h',
    'fcntl.h',
    'errno.h',
  ],
  freebsd: [
    'sys/param.h',
    'sys/types.h',
    'sys/socket.h',
    'sys/ioctl.h',
    'net/if.h',
    'netinet/in.h',
    'net/pfvar.h',
    'netinet/in_systm.h',
    'netinet/ip.h',
    'netinet/tcp.h',
    'netinet/ipl.h',
    'netinet/ip_compat.h',
    'netinet/ip_fil.h',
    'netinet/ip_nat.h',
    'fcntl.h',
    'errno.h',
  ],
  netbsd: [
    'sys/param.h',
    'sys/types.h',
    'sys/socket.h',
    'sys/ioctl.h',
    'net/if.h',
    'netinet/in.h',
    'net/pfvar.h',
    'netinet/in_systm.h',
    'netinet/ip.h',
    'netinet/tcp.h',
    'netinet/ipl.h',
    'netinet/ip_compat.h',
    'netinet/ip_fil.h',
    'netinet/ip_nat.h',
    'net/npf.h',
    'fcntl.h',
    'errno.h',
  ],
};

/** nv.h is not installed: the type that net/npf.h needs only for its size. */
const PREAMBLE: Partial<Record<Bsd, string>> = {
  netbsd:
    'typedef struct { void *buf; size_t len; int flags; } odst_nvlist_ref;\n#define nvlist_ref_t odst_nvlist_ref\n',
};

const BUNDLED = 'headers bundled with Zig 0.17.1';
const NOTE = `/*
 * What the pinned headers say and the ${BUNDLED} say as well. Written by
 * scripts/test-cross/run.ts --write; compiled against the pinned ones whenever the replay is built.
 */
`;

/** @param write put what both agree on into platforms/abi/<os>/bundled.c */
export function checkHeaders(zig: Zig, root: string, os: Bsd, write = false): HeaderCheck {
  const folder = join(root, 'build', 'cross');
  mkdirSync(folder, { recursive: true });
  const known = facts(root, os);
  const values = pinnedValues(root, os, known, folder);
  const lines = known.map(
    ({ expression }) => `_Static_assert(${expression} == ${values.get(expression)}u, "${BUNDLED}");`,
  );
  const head = source(os);
  const file = join(folder, `headers_${os}.c`);
  writeFileSync(file, `${head}${lines.join('\n')}\n`);
  const { messages } = compile(
    zig,
    'cc',
    ['-target', `x86_64-${os}`, '-fsyntax-only', '-ferror-limit=0', '-w', file],
    root,
  );
  const first = head.split('\n').length;
  const result: HeaderCheck = { agreed: 0, differs: [], missing: [] };
  known.forEach(({ what }, at) => {
    const message = new RegExp(`headers_${os}\\.c:${first + at}:\\d+: error: (.*)`).exec(messages)?.[1];
    if (message === undefined) result.agreed += 1;
    else if (message.startsWith('static assertion failed')) result.differs.push(what);
    else result.missing.push(what);
  });
  const elsewhere = /error: .*/.exec(messages.replaceAll(new RegExp(`^.*headers_${os}\\.c:.*$`, 'gm'), ''));
  if (elsewhere !== null) throw new Error(`${os}: the bundled headers do not compile: ${elsewhere[0]}`);
  if (write) {
    const agreed = lines.filter(
      (_, at) => !result.missing.concat(result.differs).includes(known[at]?.what ?? ''),
    );
    writeFileSync(join(root, 'platforms', 'abi', os, 'bundled.c'), `${NOTE}${head}\n${agreed.join('\n')}\n`);
  }
  return result;
}

function source(os: Bsd): string {
  const includes = [...INCLUDES[os], 'stddef.h', 'stdint.h'].map((header) => `#include <${header}>`);
  return `${includes.join('\n')}\n${PREAMBLE[os] ?? ''}`;
}

/** Everything that the pinned headers say, taken from their text. */
function facts(root: string, os: Bsd): Fact[] {
  const found = new Map<string, Fact>();
  const add = (what: string, expression: string) => found.set(expression, { what, expression });
  for (const path of globSync([`platforms/abi/${os}/**/*.h`, 'platforms/abi/common/errno_bsd.h'], {
    cwd: root,
  })) {
    const text = readFileSync(join(root, path), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '');
    for (const [, name = '', value = ''] of text.matchAll(/^#define (\w+) (.+)$/gm)) {
      if (/^(0x[0-9a-f]+|\d+|_IO\w*\(.*\)|E[A-Z]+)$/.test(value)) add(name, `(uint32_t)${name}`);
    }
    for (const [, list = ''] of text.matchAll(/^enum \{([^}]*)\}/gm)) {
      for (const name of list.split(',')) add(name.trim(), `(uint32_t)${name.trim()}`);
    }
    for (const structure of text.matchAll(/^(?:typedef )?(struct|union) (\w+) \{\n([\s\S]*?)^\}/gm)) {
      const [, kind = '', tag = '', body = ''] = structure;
      add(`sizeof ${kind} ${tag}`, `sizeof(${kind} ${tag})`);
      for (const field of fields(body)) add(`${tag}.${field}`, `offsetof(${kind} ${tag}, ${field})`);
    }
  }
  return [...found.values()];
}

/** Names of the members of the outermost level, without those that only fill space. */
function fields(body: string): string[] {
  let outer = body;
  while (outer.includes('{')) outer = outer.replaceAll(/\b(struct|union) \{[^{}]*\}/g, 'int');
  return [...outer.matchAll(/^ {2}[\w ]+?[ *]((?:\*?\w+(?:\[[^\]]*\])*(?:, )?)+)(?: __attribute__.*)?;/gm)]
    .flatMap(([, names = '']) => names.split(', '))
    .map((name) => name.replace(/\[.*/, '').replace('*', ''))
    .filter(
      (name) =>
        !/^(any|aligned|space|pad|ifcu_|nat_lock_and|nat_rule_and|nat_counters|nat_direction_and|peers_rules|times_and)/.test(
          name,
        ),
    );
}

/** What the pinned headers make of each expression: the compiler computes it, an object file says it. */
function pinnedValues(root: string, os: Bsd, known: readonly Fact[], folder: string): Map<string, bigint> {
  const file = join(folder, `pinned_${os}.c`);
  const rows = known.map(({ expression }) => `  (unsigned long long)(${expression}),`);
  writeFileSync(file, `${source(os)}const unsigned long long odst_pinned[] = {\n${rows.join('\n')}\n};\n`);
  const object = join(folder, `pinned_${os}.bin`);
  runTool(root, 'cc', [...pinnedFlags(os), '-c', file, '-o', `${object}.o`]);
  runTool(root, 'objcopy', ['-O', 'binary', '-j', '.rodata', `${object}.o`, object]);
  const bytes = readFileSync(object);
  return new Map(known.map(({ expression }, at) => [expression, bytes.readBigUInt64LE(8 * at)]));
}

function runTool(root: string, program: string, args: string[]): void {
  execFileSync(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
}
