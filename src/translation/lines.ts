/** The lines of a rule file as fgets(3) hands them to the original loader. */

/** The loader's buffer holds so many bytes of a line at a time, line end included. */
export const LINE_LIMIT = 511;

export interface Line {
  /** Line of the file, from 1. */
  line: number;
  /** Byte of that line at which this text begins, from 1: more than 1 in the rest of an overlong line. */
  column: number;
  /** Number of the loader's own count, which overlong lines put out of step. */
  read: number;
  /** Offset in the file. */
  offset: number;
  /** Without the line feed; a NUL byte ends it, as C strings end. A carriage return stays. */
  text: string;
  /** There was a NUL byte, and what follows it is not seen. */
  cut: boolean;
}

/** @param file one character a byte (latin1), so that columns are bytes */
export function* linesOf(file: string): Generator<Line> {
  let offset = 0;
  let line = 1;
  let column = 1;
  let read = 0;
  while (offset < file.length) {
    const feed = file.indexOf('\n', offset);
    const whole = feed === -1 ? file.length : feed + 1;
    const end = Math.min(whole, offset + LINE_LIMIT);
    const ends = end === feed + 1;
    const piece = file.slice(offset, ends ? end - 1 : end);
    const nul = piece.indexOf('\0');
    read++;
    yield { line, column, read, offset, text: nul === -1 ? piece : piece.slice(0, nul), cut: nul !== -1 };
    column = ends ? 1 : column + piece.length;
    if (ends) line++;
    offset = end;
  }
}

/** Bytes of a file as text that is safe on a terminal: UTF-8 where it is, the rest as \xNN. */
export function shown(bytes: string): string {
  const text = Buffer.from(bytes, 'latin1').toString('utf8');
  const readable = text.includes('\ufffd') ? bytes : text;
  return readable.replace(/[\p{Cc}\u2028\u2029\ufeff]|[\u0080-\u009f]/gu, (character) =>
    character.charCodeAt(0) > 255
      ? `\\u${character.charCodeAt(0).toString(16)}`
      : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
