/** Every command as its class declares it: what manuals and completions are held to. */

import { globSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../src/commands/', import.meta.url));

export interface Flag {
  name: string;
  /** The short form, without its hyphen. */
  char: string | undefined;
  /** The words that it takes, where only certain ones are allowed. */
  options: readonly string[];
}

export interface CommandDeclaration {
  /** With the topic before it, as it is typed: `rules convert`. */
  id: string;
  flags: Flag[];
}

/** In the order of their names. Flags that are hidden are no promise to anybody. */
export async function declaredCommands(): Promise<CommandDeclaration[]> {
  const files = globSync('**/*.ts', { cwd: FOLDER }).sort();
  return Promise.all(
    files.map(async (file) => {
      const { default: Command } = await import(pathToFileURL(FOLDER + file).href);
      const flags: Record<string, { char?: string; options?: string[]; hidden?: boolean }> = {
        ...Command.baseFlags,
        ...Command.flags,
      };
      return {
        id: file.replace(/\.ts$/, '').replaceAll('/', ' '),
        flags: Object.entries(flags)
          .filter(([, { hidden }]) => hidden !== true)
          .map(([name, { char, options = [] }]) => ({ name, char, options })),
      };
    }),
  );
}
