/** ipfw(8): `fwd` delivers to a local port without changing the packet, so that getsockname() tells the original. */

import { formatAddress } from '../translation/numbers.ts';
import { hasPorts, type Rule } from '../translation/rule.ts';
import {
  CannotCarryOver,
  type Conversion,
  device,
  LISTS,
  outcome,
  protocolName,
  rulesOf,
  writeEach,
} from './conversion.ts';
import { cidrs, spans, type Values, values } from './words.ts';

const FIRST = 20_000;
const STEP = 10;
const LAST_NUMBER = 65_000;
/** A match is at most 63 words long (F_LEN_MASK of netinet/ip_fw.h), and an address takes two of them, a port range one. */
const ADDRESS_LIMIT = 31;

export function writeIpfw(rules: readonly Rule[], into: Conversion): void {
  const own = LISTS.flatMap((list) => rulesOf(rules, list));
  const step = Math.min(STEP, Math.floor((LAST_NUMBER - FIRST) / (own.length + 1)));
  const end = FIRST + Math.max(step, 1) * own.length;
  into.lines.push(
    '# Load it with ipfw FILE. “fwd” does not change the packet: each NEWADDR must be an address of this host,',
    '# and the proxy takes getsockname() for the original destination.',
  );
  writeEach(own, into, '', (rule) => {
    if (step < 1) throw new CannotCarryOver('ipfw has no numbers for so many rules');
    return [ipfwRule(rule, FIRST + step * own.indexOf(rule), end)];
  });
  if (into.lines.some((line) => line.includes('skipto')))
    into.lines.push(`add ${end} count ip from any to any`);
}

function ipfwRule(rule: Rule, number: number, end: number): string {
  const { list, newAddress, newPort } = rule;
  if (list !== 'pre' && list !== 'output') {
    throw new CannotCarryOver(
      'ipfw changes sources in a nat instance, which must see the replies too: set one up by hand',
    );
  }
  const kind = outcome(rule);
  if (kind !== 'nothing') {
    if (newAddress === null)
      throw new CannotCarryOver('fwd needs an address, and this rule keeps the one that the client wanted');
    if (!hasPorts(rule.protocol)) throw new CannotCarryOver('fwd delivers TCP and UDP alone');
  }
  const action =
    kind === 'nothing'
      ? `skipto ${end}`
      : `fwd ${formatAddress(newAddress ?? 0)}${newPort === null ? '' : `,${newPort}`}`;
  const from = side(values(rule.source), values(rule.sourcePort));
  const to = side(values(rule.destination), values(rule.destinationPort));
  const direction = list === 'pre' ? 'in' : 'out';
  const name = list === 'pre' ? rule.inDevice : rule.outDevice;
  const via = name === null ? '' : ` ${list === 'pre' ? 'recv' : 'xmit'} ${device(name)}`;
  return `add ${number} ${action} ${protocolName(rule.protocol)} from ${from} to ${to} ${direction}${via}`;
}

function side(address: Values | null, port: Values | null): string {
  const list = address === null ? [] : cidrs(address.ranges);
  if (list.length > ADDRESS_LIMIT)
    throw new CannotCarryOver(`ipfw holds at most ${ADDRESS_LIMIT} prefixes in a rule`);
  const where = address === null ? 'any' : negatable(address, list);
  return port === null ? where : `${where} ${negatable(port, spans(port.ranges, '-', String))}`;
}

function negatable({ negated }: Values, list: readonly string[]): string {
  return `${negated ? 'not ' : ''}${list.join(',')}`;
}
