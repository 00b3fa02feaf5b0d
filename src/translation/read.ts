/** The argument FILE of the commands, and its bytes. */

import { readFileSync } from 'node:fs';
import { string as argument } from '@oclif/core/args';
import { ExitCode, Failure } from '../exit-codes.ts';

export const FILE = argument({
  description: 'The translation file; - is standard input.',
  required: true,
  ignoreStdin: true,
});

/** One character a byte (latin1). @throws {Failure} */
export function readRules(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'latin1');
  } catch (error) {
    throw new Failure(ExitCode.usage, `${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}
