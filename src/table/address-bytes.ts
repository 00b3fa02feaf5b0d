/** Addresses out of text into the bytes of a record, or false where the text is none. */

import { isIPv6 } from 'node:net';

export function writeIPv4(bytes: Uint8Array, at: number, text: string): boolean {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return false;
  for (let part = 1; part <= 4; part++) {
    const digits = match[part] ?? '';
    const value = Number(digits);
    if (value > 255 || (digits.length > 1 && digits[0] === '0')) return false;
    bytes[at + part - 1] = value;
  }
  return true;
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
