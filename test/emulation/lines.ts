/** What a child says, a line at a time. */

import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

export class Lines {
  readonly #waiting: { resolve(line: string): void; reject(error: Error): void }[] = [];
  readonly #unread: string[] = [];
  #ended = false;

  constructor(child: ChildProcess) {
    if (child.stdout === null) throw new Error('the child has no standard output');
    const reader = createInterface({ input: child.stdout });
    reader.on('line', (line) => {
      const next = this.#waiting.shift();
      if (next === undefined) this.#unread.push(line);
      else next.resolve(line);
    });
    reader.on('close', () => {
      this.#ended = true;
      for (const { reject } of this.#waiting.splice(0)) reject(ENDED());
    });
  }

  next(): Promise<string> {
    const line = this.#unread.shift();
    if (line !== undefined) return Promise.resolve(line);
    if (this.#ended) return Promise.reject(ENDED());
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }
}

const ENDED = () => new Error('the child has ended without an answer');
