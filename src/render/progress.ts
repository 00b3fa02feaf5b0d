/** One line on a terminal's standard error that says what is being done; nothing anywhere else. */

interface Terminal {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

export interface Progress {
  show(text: string): void;
  clear(): void;
}

const ERASE_LINE = '\r\u001b[K';

export function progressOn(stream: Terminal): Progress {
  if (!stream.isTTY || process.env.TERM === 'dumb') return { show: () => {}, clear: () => {} };
  return {
    show: (text) => void stream.write(`${ERASE_LINE}${text.slice(0, (stream.columns || 80) - 1)}`),
    clear: () => void stream.write(ERASE_LINE),
  };
}
