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

export function addressSlot(rule: LoadedRule, side: Side): Slot {
  return side === 'source' ? rule.sourceAddress : rule.destinationAddress;
}

export function portSlot(rule: LoadedRule, side: Side): Slot {
  return side === 'source' ? rule.sourcePort : rule.destinationPort;
}

function emptySlot(): Slot {
  return { is: 'unset', meaning: 'single', values: [], tokens: [] };
}

export function emptyRule(): LoadedRule {
  return {
    number: 0,
    place: { line: 1, column: 1 },
    name: null,
    direction: null,
    protocol: 0,
    sourceAddress: emptySlot(),
    destinationAddress: emptySlot(),
    sourcePort: emptySlot(),
    destinationPort: emptySlot(),
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
