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

const DOTTED = /^(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})$/;

/**
 * inet_pton(3) of what follows the `=` and any spaces (get_string, get_address): four decimal numbers and
 * nothing else, so that a trailing blank or carriage return spoils it. null: not taken.
 */
export function readAddress(value: string): number | null {
  const parts = DOTTED.exec(value.replace(/^ +/, ''))?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) return null;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}
