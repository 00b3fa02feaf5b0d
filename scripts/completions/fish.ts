/** Completion for fish: complete(1) of fish. */

import { type CommandDeclaration, type Flag, firstWords, secondWords, type Value } from './commands.ts';

export function fishCompletion(commands: readonly CommandDeclaration[]): string {
  const names = [...firstWords(commands)];
  const words = names.map(([name]) => name).join(' ');
  const start = 'not __fish_seen_subcommand_from $origdst_words';
  return [
    '# Completion of origdst(1) for fish. Made from the commands by scripts/completions/run.ts.',
    '',
    `set -g origdst_words ${words} help`,
    'complete -c origdst -f',
    `complete -c origdst -n '${start}' -l version -d 'Print the version'`,
    `complete -c origdst -l help -d 'Describe the command'`,
    `complete -c origdst -n '${start}' -a help -d 'Describe a command'`,
    `complete -c origdst -n '__fish_seen_subcommand_from help' -a '${words}'`,
    ...names.flatMap(([name, below]) =>
      secondWords(below).length === 0 ? command(below) : topic(name, below),
    ),
    ...commands.flatMap(flagsOf),
    '',
  ].join('\n');

  function command(below: readonly CommandDeclaration[]): string[] {
    return below.map(({ id, summary }) => `complete -c origdst -n '${start}' -a ${id} -d ${quoted(summary)}`);
  }

  function topic(name: string, below: readonly CommandDeclaration[]): string[] {
    const second = `__fish_seen_subcommand_from ${name}; and not __fish_seen_subcommand_from ${secondWords(below).join(' ')}`;
    return [
      `complete -c origdst -n '${start}' -a ${name}`,
      ...below.map(
        ({ id, summary }) =>
          `complete -c origdst -n '${second}' -a ${id.split(' ')[1]} -d ${quoted(summary)}`,
      ),
    ];
  }
}

function flagsOf({ id, flags, takesFile }: CommandDeclaration): string[] {
  const given = id
    .split(' ')
    .map((word) => `__fish_seen_subcommand_from ${word}`)
    .join('; and ');
  const here = `complete -c origdst -n '${given}'`;
  return [...(takesFile ? [`${here} -F`] : []), ...flags.map((flag) => `${here} ${spec(flag)}`)];
}

function spec({ name, char, description, value, options }: Flag): string {
  const short = char === undefined ? '' : ` -s ${char}`;
  return `-l ${name}${short}${action(value, options)} -d ${quoted(description)}`;
}

function action(value: Value, options: readonly string[]): string {
  switch (value) {
    case 'none':
    case 'optional':
      return '';
    case 'words':
      return ` -x -a '${options.join(' ')}'`;
    case 'namespace':
      return ` -x -a '(command ls /run/netns 2>/dev/null)'`;
    case 'interface':
      return ` -x -a '(__fish_print_interfaces)'`;
    case 'file':
      return ' -r -F';
    case 'unknown':
      return ' -x';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
