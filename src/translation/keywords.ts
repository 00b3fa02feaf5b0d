/**
 * The keywords of IPFIRE-wall's rule files, and how the original loader recognises them: by comparing the
 * start of the line, case-sensitive, at column 1 (parse_rulefile_and_fill in ipfi/src/ipfire_userspace.c).
 */

export type Side = 'source' | 'destination';

export type NumberField =
  | 'PROTOCOL'
  | 'TOTAL_LENGTH'
  | 'TOS'
  | 'ICMP_TYPE'
  | 'ICMP_CODE'
  | 'ICMP_ECHO_ID'
  | 'ICMP_ECHO_SEQ'
  | 'NEWPORT';

export type Flag =
  | 'NAT'
  | 'SNAT'
  | 'MASQUERADE'
  | 'KEEP_STATE'
  | 'FTP_SUPPORT'
  | 'NOTIFY'
  | 'NATURAL_LANGUAGE';

export const DIRECTIONS = ['INPUT', 'OUTPUT', 'FORWARD', 'POST', 'PRE'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** What a keyword is for. `index` counts the members of a list from 0. */
export type Keyword =
  | { kind: 'address'; side: Side; index: number; negated: boolean }
  | { kind: 'address-end'; side: Side; negated: boolean }
  | { kind: 'my-address'; side: Side }
  | { kind: 'port'; side: Side; index: number; negated: boolean }
  | { kind: 'port-end'; side: Side }
  | { kind: 'device'; which: 'in' | 'out' }
  | { kind: 'number'; field: NumberField }
  | { kind: 'flag'; flag: Flag; accepts: string }
  | { kind: 'tcp-flag' }
  | { kind: 'direction' }
  | { kind: 'new-address' }
  | { kind: 'name' }
  | { kind: 'mss' }
  | { kind: 'rule' }
  | { kind: 'end' }
  | { kind: 'position' };

/** MAXMULTILEN of common/defs/ipfi_structures.h. */
export const LIST_LIMIT = 50;

/** Keywords with a value, up to and with the `=`. */
export const SETTINGS: ReadonlyMap<string, { keyword: Keyword; name: string }> = new Map(
  [...settings()].map(([key, keyword]) => [key, { keyword, name: key.slice(0, -1) }]),
);

function* settings(): Generator<[string, Keyword]> {
  for (const [prefix, side] of [
    ['SRC', 'source'],
    ['DST', 'destination'],
  ] as const) {
    for (let index = 0; index < LIST_LIMIT; index++) {
      const number = index === 0 ? '' : String(index + 1);
      for (const negated of [false, true]) {
        const not = negated ? '_NOT' : '';
        yield [`${prefix}ADDR${number}${not}=`, { kind: 'address', side, index, negated }];
        yield [`${prefix}PORT${number}${not}=`, { kind: 'port', side, index, negated }];
      }
    }
    yield [`_END_${prefix}ADDR=`, { kind: 'address-end', side, negated: false }];
    yield [`_END_${prefix}ADDR_NOT=`, { kind: 'address-end', side, negated: true }];
    yield [`_END_${prefix}PORT=`, { kind: 'port-end', side }];
  }
  yield ['INDEVICE=', { kind: 'device', which: 'in' }];
  yield ['OUTDEVICE=', { kind: 'device', which: 'out' }];
  for (const field of [
    'PROTOCOL',
    'TOTAL_LENGTH',
    'TOS',
    'ICMP_TYPE',
    'ICMP_CODE',
    'ICMP_ECHO_ID',
    'ICMP_ECHO_SEQ',
    'NEWPORT',
  ] as const) {
    yield [`${field}=`, { kind: 'number', field }];
  }
  for (const flag of ['NAT', 'SNAT', 'MASQUERADE', 'KEEP_STATE', 'NOTIFY', 'NATURAL_LANGUAGE'] as const) {
    yield [`${flag}=`, { kind: 'flag', flag, accepts: 'YES' }];
  }
  // 14 characters of 15 are compared.
  yield ['FTP_SUPPORT=', { kind: 'flag', flag: 'FTP_SUPPORT', accepts: 'YE' }];
  for (const flag of ['SYN', 'FIN', 'PSH', 'ACK', 'RST', 'URG']) yield [`${flag}=`, { kind: 'tcp-flag' }];
  yield ['DIRECTION=', { kind: 'direction' }];
  yield ['NEWADDR=', { kind: 'new-address' }];
  yield ['NAME=', { kind: 'name' }];
}

/** Keywords that are recognised by how a line begins, whatever follows. */
const BEGINNINGS: readonly [string, Keyword][] = [
  ['RULE', { kind: 'rule' }],
  ['BSRULE', { kind: 'rule' }],
  ['END', { kind: 'end' }],
  ['POSITION', { kind: 'position' }],
  ['MYSRCADDR', { kind: 'my-address', side: 'source' }],
  ['MYDSTADDR', { kind: 'my-address', side: 'destination' }],
  ['MSS_', { kind: 'mss' }],
];

/** What the loader takes a line for. null: it is skipped without a word. */
export function recognise(text: string): { keyword: Keyword; name: string; value: string | null } | null {
  const equals = text.indexOf('=');
  const key = equals === -1 ? '' : text.slice(0, equals + 1);
  const setting = SETTINGS.get(key);
  if (setting !== undefined)
    return { keyword: setting.keyword, name: setting.name, value: text.slice(equals + 1) };
  const beginning = BEGINNINGS.find(([start]) => text.startsWith(start));
  if (beginning === undefined) return null;
  return { keyword: beginning[1], name: beginning[0], value: null };
}

/** The keyword that was probably meant by one that does not exist, null where none is near. */
export function nearestKeyword(name: string): string | null {
  const wanted = name.trim().toUpperCase();
  const alias: Record<string, string> = {
    DPORT: 'DSTPORT',
    SPORT: 'SRCPORT',
    DADDR: 'DSTADDR',
    SADDR: 'SRCADDR',
    DEST: 'DSTADDR',
    SOURCE: 'SRCADDR',
    PROTO: 'PROTOCOL',
    IN: 'INDEVICE',
    OUT: 'OUTDEVICE',
    TOADDR: 'NEWADDR',
    TOPORT: 'NEWPORT',
  };
  if (alias[wanted] !== undefined) return alias[wanted];
  let best: string | null = null;
  let least = 3;
  for (const key of [...SETTINGS.values()].map(({ name: one }) => one).concat('RULE', 'END', 'POSITION')) {
    if (Math.abs(key.length - wanted.length) >= least) continue;
    const distance = editDistance(wanted, key, least);
    if (distance < least) [best, least] = [key, distance];
  }
  return best;
}

/** Levenshtein, given up at `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    if (Math.min(...next) >= limit) return limit;
    row = next;
  }
  return row[b.length] ?? limit;
}
