/**
 * Text as bytes, written where it will be sent from: a table of a quarter of a million connections is
 * printed in the time that it takes to read, and strings would take twice that.
 */

import type { Family } from '../verdict.ts';

const encoder = new TextEncoder();
const SPACE = 32;
const DOT = 46;
const COLON = 58;
const ZERO = 48;
/** Three digits of every byte, and how many of them count. */
const DIGITS = new Uint8Array(256 * 4);
for (let byte = 0; byte < 256; byte++) {
  const text = String(byte);
  DIGITS[byte * 4 + 3] = text.length;
  for (let at = 0; at < text.length; at++) DIGITS[byte * 4 + at] = text.charCodeAt(at);
}
const HEX = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));

export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  used = 0;

  constructor(capacity = 1 << 16) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** Makes sure of room for `more` bytes, so that what follows needs not ask. */
  reserve(more: number): void {
    if (this.used + more <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * this.#bytes.length + more);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }

  ascii(text: string): void {
    const bytes = this.#bytes;
    let to = this.used;
    for (let at = 0; at < text.length; at++) bytes[to++] = text.charCodeAt(at);
    this.used = to;
  }

  /** Any text, of any length. */
  text(words: string): void {
    const bytes = encoder.encode(words);
    this.reserve(bytes.length);
    this.encoded(bytes);
  }

  /** A text that was encoded beforehand. */
  encoded(text: Uint8Array): void {
    this.#bytes.set(text, this.used);
    this.used += text.length;
  }

  /** A whole number, 0 or more. */
  number(value: number): void {
    let end = this.used + 1;
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) end++;
    this.used = end;
    let rest = value;
    do {
      const next = Math.floor(rest / 10);
      this.#bytes[--end] = ZERO + rest - next * 10;
      rest = next;
    } while (rest > 0);
  }

  /** Blanks up to `column` places after `start`. */
  pad(start: number, column: number): void {
    while (this.used < start + column) this.#bytes[this.used++] = SPACE;
  }

  address(from: Uint8Array, at: number, family: Family): void {
    if (family === 6) {
      this.#ipv6(from, at);
      return;
    }
    const bytes = this.#bytes;
    let to = this.used;
    for (let part = 0; part < 4; part++) {
      if (part > 0) bytes[to++] = DOT;
      const digits = (from[at + part] ?? 0) * 4;
      const count = DIGITS[digits + 3] ?? 0;
      for (let digit = 0; digit < count; digit++) bytes[to++] = DIGITS[digits + digit] ?? 0;
    }
    this.used = to;
  }

  /** As RFC 5952 spells it: the first of the longest runs of two or more groups of zeros becomes `::`. */
  #ipv6(from: Uint8Array, at: number): void {
    let [start, end] = [-1, -1];
    for (let group = 0; group < 8; group++) {
      let stop = group;
      while (stop < 8 && from[at + 2 * stop] === 0 && from[at + 2 * stop + 1] === 0) stop++;
      if (stop - group >= 2 && stop - group > end - start) [start, end] = [group, stop];
      if (stop > group) group = stop - 1;
    }
    const bytes = this.#bytes;
    for (let group = 0; group < 8; group++) {
      if (group === start) {
        bytes[this.used++] = COLON;
        bytes[this.used++] = COLON;
        group = end - 1;
        continue;
      }
      if (group > 0 && group !== end) bytes[this.used++] = COLON;
      const value = ((from[at + 2 * group] ?? 0) << 8) | (from[at + 2 * group + 1] ?? 0);
      for (let shift = value > 0xfff ? 12 : value > 0xff ? 8 : value > 0xf ? 4 : 0; shift >= 0; shift -= 4) {
        bytes[this.used++] = HEX[(value >> shift) & 15] ?? 0;
      }
    }
  }

  /** What was written, as bytes of its own; the writer is empty again. */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.slice(0, this.used).buffer);
    this.used = 0;
    return taken;
  }
}
