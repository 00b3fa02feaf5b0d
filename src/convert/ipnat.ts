/** ipnat(5) of IPFilter: one line for each combination of the members of lists. */

import { formatAddress } from '../translation/numbers.ts';
import { complement, LAST_ADDRESS, LAST_PORT, type Range } from '../translation/ranges.ts';
import { hasPorts, type Rule, type Selector } from '../translation/rule.ts';
import {
  CannotCarryOver,
  type Conversion,
  type ConvertOptions,
  device,
  LISTS,
  outcome,
  protocolName,
  rulesOf,
  writeEach,
} from './conversion.ts';
import { cidrs, values } from './words.ts';

/** More lines for one rule than a person would still read. */
const LINES = 256;

export function writeIpnat(rules: readonly Rule[], into: Conversion, options: ConvertOptions): void {
  into.lines.push('# Load it with ipnat -f; undo it with ipnat -r -f.');
  const own = LISTS.flatMap((list) => rulesOf(rules, list));
  writeEach(own, into, '', (rule) => ipnatRules(rule, options.interface));
}

function ipnatRules(rule: Rule, fallback: string | null): string[] {
  if (rule.list === 'output') {
    throw new CannotCarryOver('ipnat redirects what comes in by an interface, not what this host sends');
  }
  const kind = outcome(rule);
  if (kind === 'nothing')
    throw new CannotCarryOver('ipnat has no rule that exempts packets from the later ones');
  const name = (rule.list === 'pre' ? rule.inDevice : rule.outDevice) ?? fallback;
  if (name === null)
    throw new CannotCarryOver('an ipnat rule names an interface, and this one does not (give --interface)');
  const verb = rule.list === 'pre' ? 'rdr' : 'map';
  const sources = sides(rule.source, rule.sourcePort);
  const destinations = sides(rule.destination, rule.destinationPort);
  if (sources.length * destinations.length > LINES) {
    throw new CannotCarryOver(`its lists would make more than ${LINES} lines for ipnat`);
  }
  const to = target(rule);
  return sources.flatMap((from) =>
    destinations.map(
      (where) => `${verb} ${device(name)} from ${from} to ${where} -> ${to} ${protocolName(rule.protocol)}`,
    ),
  );
}

function target({ list, newAddress, newPort, protocol, destinationPort }: Rule): string {
  if (list === 'masquerade') return '0/32';
  if (newAddress === null) throw new CannotCarryOver('ipnat cannot change a port and keep the address');
  const address = formatAddress(newAddress);
  if (list === 'snat') {
    if (newPort !== null)
      throw new CannotCarryOver('ipnat maps to ranges of source ports, not to a single one');
    return `${address}/32`;
  }
  if (!hasPorts(protocol)) return address;
  const kept = newPort ?? single(destinationPort);
  if (kept === null) throw new CannotCarryOver('rdr needs a port, and this rule keeps whichever it was');
  return `${address} port ${kept}`;
}

function single(selector: Selector): number | null {
  const [only, ...more] = selector.kind === 'values' && !selector.negated ? selector.ranges : [];
  return only !== undefined && more.length === 0 && only[0] === only[1] ? only[0] : null;
}

function sides(address: Selector, port: Selector): string[] {
  const wheres = addresses(address);
  return wheres.flatMap((where) => ports(port).map((which) => `${where}${which}`));
}

function addresses(selector: Selector): string[] {
  const of = values(selector);
  if (of === null) return ['any'];
  const list = cidrs(of.ranges);
  if (of.negated && list.length === 1) return [`! ${mask(list[0] ?? '')}`];
  return (of.negated ? cidrs(complement(of.ranges, LAST_ADDRESS)) : list).map(mask);
}

function mask(cidr: string): string {
  return cidr.includes('/') ? cidr : `${cidr}/32`;
}

/** `><` excludes both of its ends. */
function ports(selector: Selector): string[] {
  const of = values(selector);
  if (of === null) return [''];
  return (of.negated ? complement(of.ranges, LAST_PORT) : of.ranges).map(compared);
}

function compared([first, last]: Range): string {
  if (first === last) return ` port = ${first}`;
  if (first === 0) return ` port <= ${last}`;
  if (last === LAST_PORT) return ` port >= ${first}`;
  return ` port ${first - 1} >< ${last + 1}`;
}
