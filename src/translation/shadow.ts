/** Rules that never act, because an earlier rule of the same list takes all that they would match. */

import { covers, type Range } from './ranges.ts';
import { neverMatches, type Rule, selectorsOf, taken } from './rule.ts';

/** A rule, and the earlier one that takes all of its packets. */
export interface Shadow {
  rule: Rule;
  by: Rule;
}

export interface Shadows {
  shadows: Shadow[];
  /** The first rule that was not examined, because the comparisons were too many; null: all were. */
  unexamined: Rule | null;
}

/** Far more than sane files need; a file of nothing but overlapping intervals would take hours without. */
const COMPARISONS = 5_000_000;

export function findShadows(rules: readonly Rule[]): Shadows {
  const shadows: Shadow[] = [];
  const indexes = new Map<string, Index>();
  let comparisons = 0;
  for (const rule of rules) {
    if (rule.list === null || neverMatches(rule) !== null) continue;
    const key = `${rule.list} ${rule.protocol}`;
    const index = indexes.get(key) ?? new Index();
    indexes.set(key, index);
    const shape = new Shape(rule);
    let by: Shape | undefined;
    for (const candidate of index.candidates(shape)) {
      if (++comparisons > COMPARISONS) return { shadows, unexamined: rule };
      if (!candidate.covers(shape)) continue;
      by = candidate;
      break;
    }
    if (by === undefined) index.add(shape);
    else shadows.push({ rule, by: by.rule });
  }
  return { shadows, unexamined: null };
}

/** A rule as the sets of values that it takes: source, destination, source port, destination port. */
class Shape {
  readonly rule: Rule;
  /** null: an own address, which is comparable with itself alone. */
  readonly sets: readonly (readonly Range[] | null)[];
  readonly open: readonly boolean[];

  constructor(rule: Rule) {
    this.rule = rule;
    const selectors = selectorsOf(rule);
    this.sets = selectors.map(([, selector, last]) => taken(selector, last));
    this.open = selectors.map(([, selector]) => selector.kind === 'any');
  }

  covers(other: Shape): boolean {
    const { inDevice, outDevice } = this.rule;
    if (inDevice !== null && inDevice !== other.rule.inDevice) return false;
    if (outDevice !== null && outDevice !== other.rule.outDevice) return false;
    return this.sets.every((set, at) => {
      if (this.open[at]) return true;
      const inner = other.sets[at] ?? null;
      if (set === null || inner === null) return set === inner;
      return covers(set, inner);
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
