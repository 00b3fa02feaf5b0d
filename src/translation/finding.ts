/** What is wrong or surprising in a rule file. */

import type { Place } from './token.ts';

export type Severity = 'error' | 'warning' | 'info';

export interface Finding extends Place {
  /** Stable word for scripts. */
  id: string;
  severity: Severity;
  /** Number of the rule that it is about; null: the file. */
  rule: number | null;
  cause: string;
  /** A command that mends it, null where only a person knows what was meant. */
  remedy: string | null;
}

/** Commands that mend a file of this name. */
export class Mend {
  readonly #file: string;

  constructor(file: string) {
    this.#file = quote(file);
  }

  /** sed(1) over the file, or over one line of it. */
  edit(script: string): string {
    return `sed -i ${quote(script)} ${this.#file}`;
  }

  delete(line: number): string {
    return this.edit(`${line}d`);
  }

  addAfter(line: number, text: string): string {
    return this.edit(`${line}a ${text}`);
  }

  /** @param complete the file ends with a line feed */
  append(text: string, complete: boolean): string {
    return `printf '${complete ? '' : '\\n'}${text}\\n' >> ${this.#file}`;
  }
}

function quote(word: string): string {
  return /^[\w./+:@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
