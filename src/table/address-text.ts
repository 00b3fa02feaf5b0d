/** Addresses as text, out of the bytes of a record: IPv4 dotted, IPv6 as RFC 5952 spells it. */

import type { Family } from '../verdict.ts';

const DECIMAL = Array.from({ length: 256 }, (_, byte) => String(byte));
const HEXADECIMAL = Array.from({ length: 256 }, (_, byte) => byte.toString(16));
const TWO_DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function addressText(bytes: Uint8Array, at: number, family: Family): string {
  if (family === 6) return ipv6(bytes, at);
  return `${DECIMAL[bytes[at] ?? 0]}.${DECIMAL[bytes[at + 1] ?? 0]}.${DECIMAL[bytes[at + 2] ?? 0]}.${DECIMAL[bytes[at + 3] ?? 0]}`;
}

function ipv6(bytes: Uint8Array, at: number): string {
  const [start, end] = longestZeros(bytes, at);
  let text = '';
  for (let group = 0; group < 8; group++) {
    if (group === start) {
      text += '::';
      group = end - 1;
      continue;
    }
    if (group > 0 && group !== end) text += ':';
    const high = bytes[at + 2 * group] ?? 0;
    const low = bytes[at + 2 * group + 1] ?? 0;
    text += high === 0 ? HEXADECIMAL[low] : `${HEXADECIMAL[high]}${TWO_DIGITS[low]}`;
  }
  return text;
}

/** The first of the longest runs of two or more groups of zeros: section 4.2.3. */
function longestZeros(bytes: Uint8Array, at: number): [start: number, end: number] {
  let best: [number, number] = [-1, -1];
  for (let group = 0; group < 8; group++) {
    let end = group;
    while (end < 8 && bytes[at + 2 * end] === 0 && bytes[at + 2 * end + 1] === 0) end++;
    if (end - group >= 2 && end - group > best[1] - best[0]) best = [group, end];
    if (end > group) group = end - 1;
  }
  return best;
}
