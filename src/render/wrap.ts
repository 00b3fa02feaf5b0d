/** Plain text folded at blanks, for causes and remedies under a table. */

/** Folds `text` to `width` columns; every line starts with `indent`, the first with `head` in its place. */
export function wrap(text: string, width: number, indent: string, head = indent): string {
  const lines: string[] = [];
  let line = head;
  let empty = true;
  for (const word of text.split(' ')) {
    if (!empty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line].join('\n');
}
