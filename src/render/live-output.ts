/** Lines that may come by the thousand, written together a few times in the blink of an eye. */

import type { Output } from './output.ts';

/** As live as a person can see; a write for each of 10,000 connections would take longer than they do. */
const DELAY_MS = 20;

export function live(output: Output): Output {
  let pending = '';
  const flush = () => {
    const text = pending;
    pending = '';
    output.write(text);
  };
  return {
    ...output,
    write: (text) => {
      if (pending === '') setTimeout(flush, DELAY_MS);
      pending += text;
    },
  };
}
