/** Addresses and ports of selectors, in the forms that the targets have. */

import { formatAddress } from '../translation/numbers.ts';
import { complement, LAST_PORT, prefixes, type Range } from '../translation/ranges.ts';
import type { Selector } from '../translation/rule.ts';
import { CannotCarryOver } from './conversion.ts';

export interface Values {
  negated: boolean;
  ranges: readonly Range[];
}

/** null: any value. */
export function values(selector: Selector): Values | null {
  if (selector.kind === 'any') return null;
  if (selector.kind === 'mine') {
    throw new CannotCarryOver('it asks for the address of the interface that the packet leaves by');
  }
  // Everything but nothing.
  return selector.negated && selector.ranges.length === 0 ? null : selector;
}

/** Addresses as CIDR prefixes. */
export function cidrs(ranges: readonly Range[]): string[] {
  return ranges
    .flatMap((range) => prefixes(range))
    .map(({ address, length }) => `${formatAddress(address)}${length === 32 ? '' : `/${length}`}`);
}

/** Ports as positive ranges, `80` or `80${dash}90`. */
export function portRanges({ negated, ranges }: Values, dash: string): string[] {
  return spans(negated ? complement(ranges, LAST_PORT) : ranges, dash, String);
}

export function spans(ranges: readonly Range[], dash: string, spell: (value: number) => string): string[] {
  return ranges.map(([first, last]) =>
    first === last ? spell(first) : `${spell(first)}${dash}${spell(last)}`,
  );
}
