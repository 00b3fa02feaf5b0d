/** Where reports are drawn to: a stream, its width, and whether it shows colour. */

export interface Output {
  write(text: string): void;
  /** Columns to fold text to. */
  width: number;
  /** Columns that there are: a pipe or a file has no edge. */
  limit: number;
  /** 0: plain text, to the byte. Otherwise a level of chalk. */
  colour: 0 | 1;
}

interface Terminal {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

const NARROW = 80;
const WIDE = 110;

/** https://no-color.org: any non-empty value, and nothing but a terminal gets colour. */
export function outputTo(stream: Terminal, env: NodeJS.ProcessEnv = process.env): Output {
  const plain = !stream.isTTY || Boolean(env.NO_COLOR) || env.TERM === 'dumb';
  const columns = stream.columns ?? NARROW;
  return {
    write: (text) => void stream.write(text),
    width: Math.min(Math.max(columns, NARROW), WIDE),
    limit: stream.isTTY ? columns : Number.POSITIVE_INFINITY,
    colour: plain ? 0 : 1,
  };
}
