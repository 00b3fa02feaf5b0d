/** Text in chunks becomes lines. A line that does not end cannot fill the memory. */

/** Far more than two addresses need. */
export const LONGEST_LINE = 4096;

/** Lines of one chunk at a time, each cut to LONGEST_LINE + 1 characters. */
export async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string[], void, void> {
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n');
    rest = cut(lines.pop() ?? '');
    if (lines.length > 0) yield lines.map(cut);
  }
  if (rest !== '') yield [rest];
}

function cut(line: string): string {
  const end = line.endsWith('\r') ? line.slice(0, -1) : line;
  return end.length > LONGEST_LINE ? end.slice(0, LONGEST_LINE + 1) : end;
}
