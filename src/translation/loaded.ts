/** A rule as the original loader fills it in, before anyone asks what it means. Types only. */

import type { Direction } from './keywords.ts';
import type { KeywordToken, Place } from './token.ts';

/** How the values of a selector are compared: `meanings` of common/defs/ipfi_structures.h. */
export type Meaning =
  | 'single'
  | 'different'
  | 'interval'
  | 'interval-different'
  | 'multi'
  | 'multi-different';

export interface Slot {
  /** `mine`: the address of the interface (MYSRCADDR, MYDSTADDR). */
  is: 'unset' | 'given' | 'mine';
  meaning: Meaning;
  /** By index of the list; what was not set is 0, and ends a list. */
  values: number[];
  /** The lines that set it, in order. */
  tokens: KeywordToken[];
}

export interface LoadedRule {
  /** From 1, in the order of the file. */
  number: number;
  /** Of its RULE line. */
  place: Place;
  name: string | null;
  direction: Direction | null;
  /** 0 where it was never set. */
  protocol: number;
  sourceAddress: Slot;
  destinationAddress: Slot;
  sourcePort: Slot;
  destinationPort: Slot;
  inDevice: string | null;
  outDevice: string | null;
  nat: boolean;
  snat: boolean;
  masquerade: boolean;
  newAddress: number | null;
  newPort: number | null;
  /** Its lines DIRECTION, PROTOCOL, NEWADDR and NEWPORT. */
  tokens: KeywordToken[];
}

/** Why the loader gives up, and so loads no rule of the file at all. */
export interface Refusal extends Place {
  reason:
    | 'end-missing'
    | 'rule-miscounted'
    | 'direction-missing'
    | 'interval-without-start'
    | 'address-conflict';
  cause: string;
}

export interface LoadedFile {
  /** The rules up to END, or to the end of the file where there is none; also those that a refusal takes along. */
  rules: LoadedRule[];
  /** The loader stops at the first. */
  refusals: Refusal[];
  /** What the loader prints, in its own words. */
  says: string[];
  /** Its exit status. */
  status: 0 | 1;
  /** Line of END. */
  end: Place | null;
}
