/** The tokens of a rule file: every line of it, what the loader takes it for, and where it stands. */

import { type Keyword, recognise } from './keywords.ts';
import { type Line, linesOf } from './lines.ts';

/** Where something stands, for messages and editors: counted from 1, columns in bytes. */
export interface Place {
  line: number;
  column: number;
}

export type Token = Line &
  (
    | { kind: 'blank' | 'comment' }
    /** `name` as far as the loader compares it; `value` begins at `valueColumn`. */
    | { kind: 'keyword'; keyword: Keyword; name: string; value: string | null; valueColumn: number }
    /** The loader skips it without a word. */
    | { kind: 'unknown' }
  );

export type KeywordToken = Extract<Token, { kind: 'keyword' }>;

/** Never throws, whatever the bytes. */
export function* tokenize(file: string): Generator<Token> {
  for (const line of linesOf(file)) yield tokenOf(line);
}

/** Field by field: a spread costs more than all the rest of the reading. */
function tokenOf({ line, column, read, offset, text, cut }: Line): Token {
  if (text.charCodeAt(0) === HASH) return { line, column, read, offset, text, cut, kind: 'comment' };
  const found = recognise(text);
  if (found === null) {
    return { line, column, read, offset, text, cut, kind: BLANK.test(text) ? 'blank' : 'unknown' };
  }
  const { keyword, name, value } = found;
  const valueColumn = column + (value === null ? 0 : name.length + 1);
  return { line, column, read, offset, text, cut, kind: 'keyword', keyword, name, value, valueColumn };
}

const HASH = 0x23;
const BLANK = /^[ \t\r]*$/;
