/** The fields of a rule that the loader fills in line by line. */

import type { Side } from './keywords.ts';
import type { LoadedRule, Slot } from './loaded.ts';
import type { KeywordToken } from './token.ts';

export function set(slot: Slot, token: KeywordToken, index: number, value: number, negated: boolean): void {
  slot.is = 'given';
  slot.values[index] = value;
  slot.tokens.push(token);
  // A first value that is not negated leaves the meaning as it was.
  if (index > 0) slot.meaning = negated ? 'multi-different' : 'multi';
  else if (negated) slot.meaning = 'different';
}

/** Most selectors of most rules are never set: those share this one. */
const UNSET: Slot = Object.freeze({ is: 'unset', meaning: 'single', values: [], tokens: [] });

/** The slot to be written to. */
export function addressSlot(rule: LoadedRule, side: Side): Slot {
  return ownSlot(rule, side === 'source' ? 'sourceAddress' : 'destinationAddress');
}

export function portSlot(rule: LoadedRule, side: Side): Slot {
  return ownSlot(rule, side === 'source' ? 'sourcePort' : 'destinationPort');
}

function ownSlot(
  rule: LoadedRule,
  field: 'sourceAddress' | 'destinationAddress' | 'sourcePort' | 'destinationPort',
): Slot {
  if (rule[field] === UNSET) rule[field] = { is: 'unset', meaning: 'single', values: [], tokens: [] };
  return rule[field];
}

export function emptyRule(): LoadedRule {
  return {
    number: 0,
    place: { line: 1, column: 1 },
    name: null,
    direction: null,
    protocol: 0,
    sourceAddress: UNSET,
    destinationAddress: UNSET,
    sourcePort: UNSET,
    destinationPort: UNSET,
    inDevice: null,
    outDevice: null,
    nat: false,
    snat: false,
    masquerade: false,
    newAddress: null,
    newPort: null,
    tokens: [],
  };
}
