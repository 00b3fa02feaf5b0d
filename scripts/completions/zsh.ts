/** Completion for zsh: zshcompsys(1), “_arguments”. */

import { type CommandDeclaration, type Flag, firstWords, secondWords, type Value } from './commands.ts';

export function zshCompletion(commands: readonly CommandDeclaration[]): string {
  const names = [...firstWords(commands)];
  const topics = names.filter(([, below]) => secondWords(below).length > 0);
  return [
    '#compdef origdst',
    '# Completion of origdst(1) for zsh. Made from the commands by scripts/completions/run.ts.',
    '',
    ...commands.flatMap(oneCommand),
    ...topics.flatMap(([topic, below]) =>
      choice(
        functionOf(topic),
        below.map(({ id, summary }) => [id.split(' ')[1] ?? '', summary]),
        [],
      ),
    ),
    ...choice(
      '_origdst_help',
      names.map(([name, below]) => [name, summaryOf(name, below)]),
      [],
      false,
    ),
    ...choice(
      '_origdst',
      [
        ...names.map(([name, below]): [string, string] => [name, summaryOf(name, below)]),
        ['help', 'Describe a command'],
      ],
      [`'(- *)--help[Describe the commands]'`, `'(- *)--version[Print the version]'`],
    ),
    '_origdst "$@"',
    '',
  ].join('\n');
}

function summaryOf(name: string, below: readonly CommandDeclaration[]): string {
  return secondWords(below).length > 0
    ? secondWords(below)
        .map((word) => `${name} ${word}`)
        .join(', ')
    : (below[0]?.summary ?? '');
}

function functionOf(id: string): string {
  return `_origdst_${id.replaceAll(/[ -]/g, '_')}`;
}

/** A function that offers the next word, and hands on to the one of the word that was typed. */
function choice(
  name: string,
  words: readonly (readonly [string, string])[],
  flags: readonly string[],
  further = true,
): string[] {
  return [
    `${name}() {`,
    '  local state line',
    '  local -a words_offered=(',
    ...words.map(([word, summary]) => `    ${quoted(`${word}:${summary}`)}`),
    '  )',
    `  _arguments -C ${[...flags, "'1:command:->command'", "'*::argument:->argument'"].join(' ')} && return`,
    '  case $state in',
    '    command) _describe command words_offered ;;',
    ...(further
      ? [`    argument) (( $+functions[${name}_\${words[1]//-/_}] )) && ${name}_\${words[1]//-/_} ;;`]
      : []),
    '  esac',
    '}',
    '',
  ];
}

function oneCommand({ id, flags, takesFile }: CommandDeclaration): string[] {
  const specs = [
    ...flags.map(spec),
    `'(- *)--help[Describe this command]'`,
    ...(takesFile ? ["'*:file:_files'"] : []),
  ];
  return [
    `${functionOf(id)}() {`,
    '  _arguments \\',
    ...specs.map((text, at) => `    ${text}${at < specs.length - 1 ? ' \\' : ''}`),
    '}',
    '',
  ];
}

function spec({ name, char, description, multiple, value, options }: Flag): string {
  const text = `[${description.replaceAll(/[\\[\]]/g, '\\$&')}]${action(value, options)}`;
  const many = multiple ? '*' : '';
  if (char === undefined) return quoted(`${many}--${name}${separator(value)}${text}`);
  const either = `{-${char}${value === 'none' ? '' : '+'},--${name}${separator(value)}}`;
  return `${multiple ? "'*'" : quoted(`(-${char} --${name})`)}${either}${quoted(text)}`;
}

function separator(value: Value): string {
  if (value === 'none') return '';
  return value === 'optional' ? '=-' : '=';
}

function action(value: Value, options: readonly string[]): string {
  switch (value) {
    case 'none':
      return '';
    case 'optional':
      return ':: : ';
    case 'words':
      return `:value:(${options.join(' ')})`;
    case 'namespace':
      return ':namespace:_files -W /run/netns';
    case 'interface':
      return ':interface:_net_interfaces';
    case 'file':
      return ':file:_files';
    case 'unknown':
      return ':value: ';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
