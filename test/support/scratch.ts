/** A folder for a proxy's files, that is gone after the test. */

import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Scratch {
  readonly path: string;

  /** @param owner the user that the proxy becomes: it must be able to write its logs here */
  constructor(owner: string) {
    this.path = mkdtempSync(join(tmpdir(), 'origdst-test-'));
    chownSync(
      this.path,
      Number(execFileSync('id', ['-u', owner])),
      Number(execFileSync('id', ['-g', owner])),
    );
  }

  file(name: string): string {
    return join(this.path, name);
  }

  write(name: string, text: string): string {
    writeFileSync(this.file(name), text);
    return this.file(name);
  }

  /** The finished lines of a file so far; none when the proxy has not made it yet. */
  lines(name: string): string[] {
    try {
      return readFileSync(this.file(name), 'utf8').split('\n').slice(0, -1);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
