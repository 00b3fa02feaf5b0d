/** A loaded rule as the module's kernel side compares it with a packet. */

import type { LoadedRule, Slot } from './loaded.ts';
import { formatAddress } from './numbers.ts';
import {
  ALL_ADDRESSES,
  ALL_PORTS,
  complement,
  LAST_ADDRESS,
  LAST_PORT,
  normalise,
  type Range,
} from './ranges.ts';

/** What an address or port must be. `ranges` as written, `negated` where it must not be one of them. */
export type Selector =
  | { kind: 'any' }
  | { kind: 'mine' }
  | { kind: 'values'; negated: boolean; ranges: readonly Range[] };

/** The list of the module that a rule lands in: add_rule_to_list_by_command in kernel/ipfi_netl.c. */
export type List = 'pre' | 'output' | 'masquerade' | 'snat' | 'input-drop' | 'forward-drop';

export interface Rule {
  loaded: LoadedRule;
  /** null: it lands nowhere. */
  list: List | null;
  protocol: number;
  source: Selector;
  destination: Selector;
  sourcePort: Selector;
  destinationPort: Selector;
  inDevice: string | null;
  outDevice: string | null;
  /** null: it stays as it is. */
  newAddress: number | null;
  newPort: number | null;
}

export const TCP = 6;
export const UDP = 17;

export function hasPorts(protocol: number): boolean {
  return protocol === TCP || protocol === UDP;
}

const ANY: Selector = { kind: 'any' };

export function asRule(loaded: LoadedRule): Rule {
  const ports = hasPorts(loaded.protocol);
  return {
    loaded,
    list: listOf(loaded),
    protocol: loaded.protocol,
    source: selector(loaded.sourceAddress),
    destination: selector(loaded.destinationAddress),
    // translation_rule_match compares ports of TCP and UDP alone.
    sourcePort: ports ? selector(loaded.sourcePort) : ANY,
    destinationPort: ports ? selector(loaded.destinationPort) : ANY,
    inDevice: loaded.inDevice,
    outDevice: loaded.outDevice,
    newAddress: loaded.newAddress,
    newPort: loaded.newPort,
  };
}

function listOf({ direction, nat, snat, masquerade }: LoadedRule): List | null {
  switch (direction) {
    case 'PRE':
      return nat ? 'pre' : null;
    case 'OUTPUT':
      return 'output';
    case 'POST':
      if (snat) return 'snat';
      return masquerade ? 'masquerade' : null;
    case 'INPUT':
      return 'input-drop';
    case 'FORWARD':
      return 'forward-drop';
    case null:
      return null;
  }
}

/** address_match and port_match in kernel/ipfi.c. */
function selector({ is, meaning, values }: Slot): Selector {
  if (is === 'unset') return ANY;
  if (is === 'mine') return { kind: 'mine' };
  const first = values[0] ?? 0;
  switch (meaning) {
    case 'single':
    case 'different':
      return { kind: 'values', negated: meaning === 'different', ranges: [[first, first]] };
    case 'interval':
    case 'interval-different': {
      const ranges = normalise([[first, values[1] ?? 0]]);
      return { kind: 'values', negated: meaning === 'interval-different', ranges };
    }
    case 'multi':
    case 'multi-different': {
      const ranges = normalise(listValues(values).map((value): Range => [value, value]));
      return { kind: 'values', negated: meaning === 'multi-different', ranges };
    }
  }
}

/** A list ends at the first member that is zero or was never set. */
export function listValues(values: readonly number[]): number[] {
  const end = Array.from(values).findIndex((value) => !value);
  return end === -1 ? [...values] : values.slice(0, end);
}

/** The values that a selector takes, as positive ranges; null for `mine`, which depends on the interface. */
export function taken(of: Selector, last: typeof LAST_ADDRESS | typeof LAST_PORT): readonly Range[] | null {
  if (of.kind === 'any') return last === LAST_PORT ? ALL_PORTS : ALL_ADDRESSES;
  if (of.kind === 'mine') return null;
  return of.negated ? complement(of.ranges, last) : of.ranges;
}

/**
 * Why no packet can ever match this rule; null where one can. Devices: at the hook PRE there is no output
 * device yet, and at OUTPUT and POST no input device (get_devnames). MYSRCADDR and MYDSTADDR are known at
 * INPUT and OUTPUT alone (get_dev_ifaddr).
 */
export function neverMatches(rule: Rule): string | null {
  const { direction } = rule.loaded;
  if (rule.protocol === 0) return 'its PROTOCOL is 0, which is no packet’s';
  if (direction === 'PRE' && rule.outDevice !== null) return 'at PRE no packet has an OUTDEVICE yet';
  if ((direction === 'OUTPUT' || direction === 'POST') && rule.inDevice !== null) {
    return `at ${direction} no packet has an INDEVICE`;
  }
  const mine = [rule.source, rule.destination].some(({ kind }) => kind === 'mine');
  if (mine && (direction === 'PRE' || direction === 'POST')) {
    return `at ${direction} the module does not know which address is its own`;
  }
  for (const [what, of, last] of selectorsOf(rule)) {
    if (taken(of, last)?.length === 0) return `no ${what} is what it asks for`;
  }
  return null;
}

export function selectorsOf(rule: Rule): [string, Selector, typeof LAST_ADDRESS | typeof LAST_PORT][] {
  return [
    ['source address', rule.source, LAST_ADDRESS],
    ['destination address', rule.destination, LAST_ADDRESS],
    ['source port', rule.sourcePort, LAST_PORT],
    ['destination port', rule.destinationPort, LAST_PORT],
  ];
}

/** What a rule makes of a destination or source, as people write it: `192.168.0.1:8110`, `*:8110`. */
export function target({ newAddress, newPort }: Pick<Rule, 'newAddress' | 'newPort'>): string {
  const address = newAddress === null ? '*' : formatAddress(newAddress);
  return newPort === null ? address : `${address}:${newPort}`;
}
