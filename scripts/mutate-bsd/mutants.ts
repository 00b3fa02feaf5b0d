/** The mutations: one small lie each, in the pinned headers, the backends, or the conclusions. */

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Mutant {
  path: string;
  line: number;
  /** `24 -> 25` */
  change: string;
  text: string;
}

/** Names that are easily taken for one another: if nothing notices, nothing reads them. */
const SWAPS: readonly (readonly [string, string])[] = [
  ['PF_OUT', 'PF_IN'],
  ['PF_SK_WIRE', 'PF_SK_STACK'],
  ['ODST_PF_SOURCE', 'ODST_PF_DESTINATION'],
  ['AF_INET', 'AF_INET6'],
  ['DIOCNATLOOK', 'DIOCGETSTATES'],
  ['saddr', 'daddr'],
  ['sport', 'dport'],
  ['rdaddr', 'rsaddr'],
  ['rdport', 'rsport'],
  ['oaddr', 'taddr'],
  ['oport', 'tport'],
  ['nl_inipaddr', 'nl_outipaddr'],
  ['nl_inport', 'nl_outport'],
  ['nl_realipaddr', 'nl_inipaddr'],
  ['nl_realport', 'nl_inport'],
  ['IPN_TCP', 'IPN_UDP'],
  ['SIOCGNATL', 'SIOCGENITER'],
  ['IPFOBJ_NATLOOKUP', 'IPFOBJ_GENITER'],
  ['nat_ndst6', 'nat_odst6'],
  ['nat_osrc6', 'nat_nsrc6'],
  ['nat_ndport', 'nat_odport'],
  ['nat_osport', 'nat_odport'],
  ['IP_RECVDSTADDR', 'IP_RECVDSTPORT'],
  ['IPPROTO_IP', 'IPPROTO_IPV6'],
  ['SO_BINDANY', 'SO_RTABLE'],
  ['IOC_NPF_CONN_LOOKUP', 'IOC_NPF_VERSION'],
  ['ENOENT', 'ESRCH'],
  ['ESRCH', 'ENOENT'],
];

/** Numbers in the C sources; comments, assertions, includes and what is only a word's width are left alone. */
export function cMutants(root: string): Mutant[] {
  const paths = globSync(
    [
      'platforms/abi/{freebsd,openbsd,netbsd,common}/**/*.h',
      'platforms/{bsd,freebsd,openbsd,netbsd}/**/*.{c,h}',
    ],
    { cwd: root },
  ).filter((path) => !/\/(natlookup4|stdbool|stdint|stddef|string|param)\.h$|\/host\//.test(path));
  return paths.sort().flatMap((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    const code = withoutComments(text);
    const swaps = path.includes('/abi/') ? [] : swapsIn(path, text, code);
    return [...numbersIn(path, text, code), ...swaps];
  });
}

function numbersIn(path: string, text: string, code: string): Mutant[] {
  const found: Mutant[] = [];
  for (const match of code.matchAll(/(?<![\w."])(0x[0-9a-f]+|\d+)(?:UL|u)?(?![\w."])/g)) {
    const line = lineOf(code, match.index);
    if (skipped(line, code, match.index)) continue;
    const [whole, digits = ''] = match;
    const next = digits.startsWith('0x')
      ? `0x${(BigInt(digits) + 1n).toString(16)}`
      : String(Number(digits) + 1);
    found.push(mutant(path, text, match.index, whole, whole.replace(digits, next)));
  }
  return found;
}

function swapsIn(path: string, text: string, code: string): Mutant[] {
  return SWAPS.flatMap(([from, to]) =>
    [...code.matchAll(new RegExp(`\\b${from}\\b`, 'g'))]
      .filter(({ index }) => !skipped(lineOf(code, index), code, index) && !inMessage(code, index))
      .map(({ index }) => mutant(path, text, index, from, to)),
  );
}

/** Error names, verdicts and kinds in the conclusions. */
export function conclusionMutants(root: string): Mutant[] {
  const paths = globSync('platforms/{bsd,freebsd,openbsd,netbsd}/**/*.ts', { cwd: root }).sort();
  return paths.flatMap((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    const errors = [...text.matchAll(/'(E[A-Z0-9]+)'/g)].map(({ index, 1: name = '' }) =>
      mutant(path, text, index + 1, name, `${name}_`),
    );
    const words = [...text.matchAll(/(?:verdict|kind|reason): '([a-z-]+)'/g)]
      .filter(({ index }) => !/: DeviceRefusal|readonly/.test(lineOf(text, index)))
      .map(({ index, 0: whole, 1: word = '' }) =>
        mutant(path, text, index + whole.length - word.length - 1, word, `${word}-x`),
      );
    return [...errors, ...words];
  });
}

function mutant(path: string, text: string, index: number, from: string, to: string): Mutant {
  return {
    path,
    line: text.slice(0, index).split('\n').length,
    change: `${from} -> ${to}`,
    text: text.slice(0, index) + to + text.slice(index + from.length),
  };
}

/** Same length, so that places stay places. */
function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ' '));
}

function lineOf(code: string, index: number): string {
  const start = code.lastIndexOf('\n', index) + 1;
  return code.slice(start, code.indexOf('\n', index));
}

/**
 * What is left alone: assertions and includes, how large a buffer is, "did it fail?" (comparisons with zero, which other
 * tests cover), and lengths of addresses: an IPv4 address lies in a zeroed field of sixteen bytes, so that too long a copy
 * of it is no difference.
 */
const LEFT = [
  /^\s*(#include|#ifndef|#if |_Static_assert)/,
  /== 4 \? 4 : 16|address\.left [!=]= (4|16)|v4 \? 4 : 16/,
  /LARGEST_ERROR = |ODST_IPF_SESSIONS|ODST_NPF_LISTED|IFNAMSIZ - 1|\.fd = -1|for \(size_t at = 0/,
];

function skipped(line: string, code: string, index: number): boolean {
  if (LEFT.some((pattern) => pattern.test(line))) return true;
  const before = code.slice(0, index);
  const after = code.slice(index);
  const isDimension =
    /(?:^|[\s(])(?:char|uint8_t|int|odst_option|unsigned char)\b[^;=]*\[$/.test(
      before.slice(before.lastIndexOf('\n') + 1),
    ) && /^\d+\]/.test(after);
  const comparesWithZero = /(?:[<>]=?|[=!]=|=|\?|:) $/.test(before) && /^0\b(?!x)/.test(after);
  return isDimension || comparesWithZero;
}

/** Inside a string: the name of a step, which is compared with the golden files anyhow. */
function inMessage(code: string, index: number): boolean {
  const line = code.slice(code.lastIndexOf('\n', index) + 1, index);
  return (
    (line.match(/"/g) ?? []).length % 2 === 1 &&
    / |\//.test(line.slice(line.lastIndexOf('"')) + code.slice(index).split('"')[0])
  );
}
