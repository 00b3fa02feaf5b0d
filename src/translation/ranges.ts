/** Sets of addresses or ports as inclusive ranges: sorted, disjoint, and never touching. */

export type Range = readonly [first: number, last: number];

export const LAST_ADDRESS = 0xffff_ffff;
export const LAST_PORT = 0xffff;
export const ALL_ADDRESSES: readonly Range[] = [[0, LAST_ADDRESS]];
export const ALL_PORTS: readonly Range[] = [[0, LAST_PORT]];

/** Any ranges, overlapping or reversed; a reversed one holds nothing. */
export function normalise(ranges: readonly Range[]): Range[] {
  const sorted = ranges.filter(([first, last]) => first <= last).toSorted((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [first, last] of sorted) {
    const before = merged.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

/** What a normalised set leaves out. */
export function complement(ranges: readonly Range[], last: number): Range[] {
  const gaps: Range[] = [];
  let next = 0;
  for (const [first, end] of ranges) {
    if (first > next) gaps.push([next, first - 1]);
    next = end + 1;
  }
  if (next <= last) gaps.push([next, last]);
  return gaps;
}

export function contains(ranges: readonly Range[], value: number): boolean {
  return ranges.some(([first, last]) => first <= value && value <= last);
}

/** Is every value of `inner` in `outer`? Both normalised. */
export function covers(outer: readonly Range[], inner: readonly Range[]): boolean {
  return inner.every(([first, last]) => outer.some(([from, to]) => from <= first && last <= to));
}

/** A range of addresses as CIDR prefixes, the least number of them. */
export function prefixes([first, last]: Range): { address: number; length: number }[] {
  const found: { address: number; length: number }[] = [];
  let next = first;
  while (next <= last) {
    let size = 1;
    while (next % (size * 2) === 0 && next + size * 2 - 1 <= last && size <= LAST_ADDRESS / 2) size *= 2;
    found.push({ address: next, length: 32 - Math.log2(size) });
    next += size;
  }
  return found;
}
