/** What the guests printed of their own headers, as compile-time assertions: platforms/abi/<os>/recorded.c. */

import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { Source } from './recording.ts';

const HEADERS: Record<string, string[]> = {
  openbsd: ['sys/types.h', 'sys/socket.h', 'sys/ioctl.h', 'net/if.h', 'netinet/in.h', 'net/pfvar.h'],
  freebsd: [
    'sys/param.h',
    'sys/types.h',
    'sys/socket.h',
    'sys/ioctl.h',
    'net/if.h',
    'netinet/in.h',
    'net/pfvar.h',
  ],
  netbsd: [
    'sys/param.h',
    'sys/types.h',
    'sys/socket.h',
    'sys/ioctl.h',
    'net/if.h',
    'netinet/in.h',
    'net/pfvar.h',
    'net/npf.h',
  ],
};
const IPFILTER = [
  'netinet/in_systm.h',
  'netinet/ip.h',
  'netinet/tcp.h',
  'netinet/ipl.h',
  'netinet/ip_compat.h',
  'netinet/ip_fil.h',
  'netinet/ip_nat.h',
];

/** Structures without a typedef of their own name. */
const STRUCTS = [
  'pfioc_natlook',
  'pfioc_states',
  'pfsync_state_key',
  'pfsync_state',
  'sockaddr_in',
  'sockaddr_in6',
];

export function writeAssertions(folder: string, os: string, release: string, files: string[]): void {
  const pinned = globSync(`platforms/abi/{${os},common}/**/*.h`)
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  const known = (name: string) => new RegExp(`\\b${name}\\b`).test(pinned);
  const constants = new Map<string, string>();
  const layouts = new Map<string, { size: number; offsets: Record<string, number> }>();
  for (const file of files) {
    const { recording } = new Source(folder, file);
    for (const [name, value] of Object.entries(recording.constants))
      if (known(name)) constants.set(name, String(value));
    for (const [name, layout] of Object.entries(recording.layout)) layouts.set(name, layout);
  }
  const lines = [
    `/*`,
    ` * What a program of ${release} (amd64) printed of its own headers: checked against the pinned`,
    ` * headers whenever the replay is built, and against a real system's by scripts/test-cross.`,
    ` * Written by scripts/bsd-cases/derive.ts.`,
    ` */`,
    ...(HEADERS[os] ?? []).map((header) => `#include <${header}>`),
    ...(os === 'openbsd' ? [] : IPFILTER.map((header) => `#include <${header}>`)),
    '#include <stddef.h>',
    '#include <stdint.h>',
    '',
    ...(os === 'netbsd'
      ? [
          'typedef struct {',
          '  void *buf;',
          '  size_t len;',
          '  int flags;',
          '} odst_nvlist_ref;',
          '#define nvlist_ref_t odst_nvlist_ref',
          '',
        ]
      : []),
    ...[...constants].map(([name, value]) => `_Static_assert((uint32_t)${name} == ${value}u, "${release}");`),
    '',
  ];
  for (const [name, { size, offsets }] of layouts) {
    const type = STRUCTS.includes(name) ? `struct ${name}` : name;
    lines.push(`_Static_assert(sizeof(${type}) == ${size}, "${release}");`);
    for (const [field, offset] of Object.entries(offsets)) {
      if (known(field) || name === 'nvlist_ref_t')
        lines.push(`_Static_assert(offsetof(${type}, ${field}) == ${offset}, "${release}");`);
    }
  }
  writeFileSync(`platforms/abi/${os}/recorded.c`, `${lines.join('\n')}\n`);
}
