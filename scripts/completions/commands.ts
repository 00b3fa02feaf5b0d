/** Every command as its class declares it: what completions and manuals are made of and held to. */

import { globSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../src/commands/', import.meta.url));

/** What can be said of a value before it is typed. `optional` has one only after `=`. */
export type Value = 'none' | 'optional' | 'words' | 'namespace' | 'interface' | 'file' | 'unknown';

export interface Flag {
  name: string;
  /** The short form, without its hyphen. */
  char: string | undefined;
  /** One clause, without a full stop. */
  description: string;
  multiple: boolean;
  value: Value;
  /** The words that it takes, where only certain ones are allowed. */
  options: readonly string[];
}

export interface CommandDeclaration {
  /** With the topic before it, as it is typed: `rules convert`. */
  id: string;
  summary: string;
  flags: Flag[];
  /** Does it take a file, and not only flags? */
  takesFile: boolean;
}

interface DeclaredFlag {
  type: 'boolean' | 'option';
  char?: string;
  description?: string;
  helpValue?: string;
  hidden?: boolean;
  multiple?: boolean;
  options?: string[];
}

/** In the order of their names. Flags that are hidden are no promise to anybody. */
export async function declaredCommands(): Promise<CommandDeclaration[]> {
  const files = globSync('**/*.ts', { cwd: FOLDER }).sort();
  return Promise.all(
    files.map(async (file) => {
      const { default: Command } = await import(pathToFileURL(FOLDER + file).href);
      const flags: Record<string, DeclaredFlag> = { ...Command.baseFlags, ...Command.flags };
      return {
        id: file.replace(/\.ts$/, '').replaceAll('/', ' '),
        summary: clause(Command.summary),
        flags: Object.entries(flags)
          .filter(([, { hidden }]) => hidden !== true)
          .map(([name, flag]) => declared(name, flag)),
        takesFile: Object.keys(Command.args ?? {}).includes('file'),
      };
    }),
  );
}

function declared(name: string, flag: DeclaredFlag): Flag {
  const { char, description = '', multiple = false, options = [] } = flag;
  return { name, char, description: clause(description), multiple, value: kindOf(name, flag), options };
}

function kindOf(name: string, { type, helpValue = '', options }: DeclaredFlag): Value {
  if (type === 'boolean') return 'none';
  if (options !== undefined) return 'words';
  if (helpValue.startsWith('[')) return 'optional';
  if (name === 'interface') return 'interface';
  const known: Record<string, Value> = { NS: 'namespace', FILE: 'file' };
  return known[helpValue] ?? 'unknown';
}

/** The first sentence, without its full stop. */
function clause(text: string): string {
  return text.replace(/\. .*$/s, '').replace(/\.$/, '');
}

/** What may come first: commands, and topics with the commands below them. */
export function firstWords(commands: readonly CommandDeclaration[]): Map<string, CommandDeclaration[]> {
  return Map.groupBy(commands, ({ id }) => id.split(' ')[0] ?? id);
}

/** A topic's commands have a second word. */
export function secondWords(commands: readonly CommandDeclaration[]): string[] {
  return commands.flatMap(({ id }) => id.split(' ').slice(1));
}
