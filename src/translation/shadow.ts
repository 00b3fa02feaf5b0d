/** Rules that never act, because an earlier rule of the same list takes all that they would match. */

import { ALL_ADDRESSES, covers, LAST_ADDRESS, LAST_PORT, type Range } from './ranges.ts';
import { neverMatches, type Rule, taken } from './rule.ts';

/** Far more than sane files need; a file of nothing but overlapping intervals would take hours without. */
const COMPARISONS = 5_000_000;

/** Takes the rules in their order, and keeps of each no more than it needs. */
export class Shadows {
  readonly #indexes = new Map<string, Index>();
  #comparisons = 0;

  /** False: the comparisons were too many, and rules are no longer examined. */
  get open(): boolean {
    return this.#comparisons <= COMPARISONS;
  }

  /** The name of the earlier rule that takes all of this one's packets, null where there is none. */
  examine(rule: Rule): string | null {
    if (!this.open || rule.list === null || neverMatches(rule) !== null) return null;
    const key = `${rule.list} ${rule.protocol}`;
    const index = this.#indexes.get(key) ?? new Index();
    this.#indexes.set(key, index);
    const shape = new Shape(rule);
    for (const candidate of index.candidates(shape)) {
      if (++this.#comparisons > COMPARISONS) return null;
      if (candidate.covers(shape)) return candidate.name;
    }
    index.add(shape);
    return null;
  }
}

/** A rule as the sets of values that it takes: source, destination, source port, destination port. */
class Shape {
  readonly #number: number;
  readonly #line: number;
  readonly inDevice: string | null;
  readonly outDevice: string | null;
  /** null: an own address, which is comparable with itself alone. */
  readonly sets: readonly (readonly Range[] | null)[];

  constructor({ loaded, inDevice, outDevice, source, destination, sourcePort, destinationPort }: Rule) {
    this.#number = loaded.number;
    this.#line = loaded.place.line;
    this.inDevice = inDevice;
    this.outDevice = outDevice;
    this.sets = [
      taken(source, LAST_ADDRESS),
      taken(destination, LAST_ADDRESS),
      taken(sourcePort, LAST_PORT),
      taken(destinationPort, LAST_PORT),
    ];
  }

  get name(): string {
    return `rule ${this.#number} (line ${this.#line})`;
  }

  covers(other: Shape): boolean {
    if (this.inDevice !== null && this.inDevice !== other.inDevice) return false;
    if (this.outDevice !== null && this.outDevice !== other.outDevice) return false;
    return this.sets.every((set, at) => {
      const inner = other.sets[at] ?? null;
      if (set === ALL_ADDRESSES) return true;
      return set === null || inner === null ? set === inner : covers(set, inner);
    });
  }

  /** The one value that a field takes, null where there are several. */
  single(field: number): number | null {
    const set = this.sets[field];
    const [only] = set ?? [];
    return set?.length === 1 && only !== undefined && only[0] === only[1] ? only[0] : null;
  }
}

/**
 * Earlier rules, filed under one value that they ask for: only a rule that asks for the same value, or for
 * none in particular, can be covered by one, so that long lists of single addresses or ports stay fast.
 */
class Index {
  readonly #byValue = [0, 1, 2, 3].map(() => new Map<number, Shape[]>());
  readonly #rest: Shape[] = [];

  add(shape: Shape): void {
    for (const field of FIELDS) {
      const value = shape.single(field);
      if (value === null) continue;
      const filed = this.#byValue[field]?.get(value);
      if (filed === undefined) this.#byValue[field]?.set(value, [shape]);
      else filed.push(shape);
      return;
    }
    this.#rest.push(shape);
  }

  *candidates(shape: Shape): Generator<Shape> {
    yield* this.#rest;
    for (const field of FIELDS) {
      const value = shape.single(field);
      if (value !== null) yield* this.#byValue[field]?.get(value) ?? [];
    }
  }
}

/** Destination and source address first: they tell rules apart better than ports. */
const FIELDS = [1, 0, 3, 2];

/** For messages: the rule by number, line and name. */
export function ruleName({ loaded }: Rule): string {
  return `rule ${loaded.number} (line ${loaded.place.line})`;
}
