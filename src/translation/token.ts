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

function tokenOf(line: Line): Token {
  const { text } = line;
  if (text.charCodeAt(0) === HASH) return { ...line, kind: 'comment' };
  const found = recognise(text);
  if (found !== null) {
    const valueColumn = line.column + (found.value === null ? 0 : found.name.length + 1);
    return { ...line, kind: 'keyword', ...found, valueColumn };
  }
  return { ...line, kind: /^[ \t\r]*$/.test(text) ? 'blank' : 'unknown' };
}

const HASH = 0x23;
