/** Numbers and addresses as the original loader's C library reads them. */

const INTEGER = /^[ \t\n\v\f\r]*([+-]?)([0-9]+)/;

/** atoi(3) over a buffer of 14 characters (get_integer in ipfi/src/common.c). */
export function readInteger(value: string): number {
  const match = INTEGER.exec(value.slice(0, 14));
  if (match === null) return 0;
  // glibc's atoi is a cast of strtol: what does not fit an int loses its upper half.
  return Number(BigInt.asIntN(32, BigInt(`${match[1] === '-' ? '-' : ''}${match[2]}`)));
}

/** Is it written as a plain decimal number of the range? Otherwise it is read as something else than it says. */
export function isPlainNumber(value: string, last: number): boolean {
  return /^[0-9]{1,10}$/.test(value) && Number(value) <= last;
}

/**
 * inet_pton(3) of what follows the `=` and any spaces (get_string, get_address): four decimal numbers and
 * nothing else, so that a trailing blank or carriage return spoils it. null: not taken.
 */
export function readAddress(value: string): number | null {
  let at = 0;
  while (value.charCodeAt(at) === SPACE) at++;
  let address = 0;
  for (let part = 0; part < 4; part++) {
    if (part > 0 && value.charCodeAt(at++) !== DOT) return null;
    const from = at;
    let number = 0;
    for (let digit = digitAt(value, at); digit !== null; digit = digitAt(value, ++at))
      number = number * 10 + digit;
    const leadingZero = at > from + 1 && digitAt(value, from) === 0;
    if (at === from || leadingZero || at > from + 3 || number > 255) return null;
    address = address * 256 + number;
  }
  return at === value.length ? address : null;
}

const SPACE = 0x20;
const DOT = 0x2e;
const ZERO = 0x30;

function digitAt(text: string, at: number): number | null {
  const digit = text.charCodeAt(at) - ZERO;
  return digit >= 0 && digit <= 9 ? digit : null;
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}
