/**
 * One spelling for a rule file, line by line: nothing is moved, added or lost, and the original loader makes
 * the same of it. A line that the loader skips stays as it is, to the byte.
 */

import { formatAddress, readAddress, readInteger } from './numbers.ts';
import { LAST_PORT } from './ranges.ts';
import { type KeywordToken, type Token, tokenize } from './token.ts';

/** @param bytes one character a byte (latin1), also of the answer */
export function format(bytes: string): string {
  const tokens = [...tokenize(bytes)];
  // Where the loader’s lines are not the file’s lines, any change could move a boundary.
  if (tokens.some(({ cut, column }) => cut || column > 1)) return bytes;
  const lines: string[] = [];
  let ended = false;
  for (const token of tokens) {
    lines.push(ended ? token.text : spell(token));
    if (token.kind === 'keyword' && token.keyword.kind === 'end' && lines.some(isRule)) ended = true;
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function isRule(line: string): boolean {
  return line.startsWith('RULE') || line.startsWith('BSRULE');
}

function spell(token: Token): string {
  if (token.kind === 'blank') return '';
  if (token.kind !== 'keyword') return token.text;
  const value = spellValue(token, token.value ?? '');
  return value === null ? token.text : `${token.name}=${value}`;
}

/** null: the line is left alone. */
function spellValue({ keyword }: KeywordToken, value: string): string | null {
  switch (keyword.kind) {
    case 'address':
    case 'address-end':
    case 'new-address': {
      const address = readAddress(value);
      return address === null ? null : formatAddress(address);
    }
    case 'port':
    case 'port-end':
      return spellNumber(value, LAST_PORT);
    case 'number':
      return spellNumber(value, keyword.field === 'PROTOCOL' || keyword.field === 'TOS' ? 255 : LAST_PORT);
    case 'device':
      return /^ *[^\s]{1,15}$/.test(value) ? value.trimStart() : null;
    default:
      return null;
  }
}

/** Leading zeros and blanks around a number go; what is no number stays for `check` to complain about. */
function spellNumber(value: string, last: number): string | null {
  const number = readInteger(value);
  return /^[ \t]*[0-9]{1,9}[ \t]*$/.test(value) && number <= last ? String(number) : null;
}
