/** Addresses out of text into the bytes of a record, or false where the text is none. */

import { isIPv6 } from 'node:net';

const DOT = 46;
const ZERO = 48;

/** Four decimal numbers without leading zeros, which some programs would read as octal. */
export function writeIPv4(bytes: Uint8Array, at: number, text: string): boolean {
  let part = 0;
  let digits = 0;
  let value = 0;
  for (let index = 0; index <= text.length; index++) {
    const code = index === text.length ? DOT : text.charCodeAt(index);
    if (code === DOT) {
      if (digits === 0 || part === 4) return false;
      bytes[at + part++] = value;
      [digits, value] = [0, 0];
      continue;
    }
    const digit = code - ZERO;
    if (digit < 0 || digit > 9 || (digits > 0 && value === 0)) return false;
    value = value * 10 + digit;
    digits += 1;
    if (value > 255) return false;
  }
  return part === 4;
}

export function writeIPv6(bytes: Uint8Array, at: number, text: string): boolean {
  if (!isIPv6(text) || text.includes('%')) return false;
  const [head = '', tail] = text.split('::');
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const all = [...before, ...Array(8 - before.length - after.length).fill(0), ...after];
  for (const [index, group] of all.entries()) {
    bytes[at + 2 * index] = group >> 8;
    bytes[at + 2 * index + 1] = group & 0xff;
  }
  return true;
}

/** The last 32 bits may be written as IPv4: RFC 4291, section 2.2. */
function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}
