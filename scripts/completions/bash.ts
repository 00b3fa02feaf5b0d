/** Completion for bash, from 3.2 on: bash(1), “Programmable Completion”. */

import { type CommandDeclaration, type Flag, firstWords, secondWords, type Value } from './commands.ts';

/** readline makes a word of its own of the = in --flag=value. */
const HEAD = `# Completion of origdst(1) for bash. Made from the commands by scripts/completions/run.ts.

_origdst_offer() {
  local IFS=$' \\n'
  COMPREPLY=($(compgen -W "$1" -- "$current"))
}

_origdst_files() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen -f -- "$current"))
}

_origdst_namespaces() {
  _origdst_offer "$(command ls /run/netns /var/run/netns 2>/dev/null | sort -u)"
}

_origdst_interfaces() {
  _origdst_offer "$(command ls /sys/class/net 2>/dev/null || ifconfig -l 2>/dev/null)"
}

_origdst() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} first=1 command
  COMPREPLY=()
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=\${COMP_WORDS[COMP_CWORD - 2]}=
  fi
  if [[ \${COMP_WORDS[1]} == help ]] && ((COMP_CWORD > 1)); then first=2; fi`;

export function bashCompletion(commands: readonly CommandDeclaration[]): string {
  const names = [...firstWords(commands)];
  const topics = names.filter(([, below]) => secondWords(below).length > 0);
  const words = names.map(([name]) => name).join(' ');
  return [
    HEAD,
    '  if ((COMP_CWORD == first)); then',
    `    if ((first == 1)); then _origdst_offer '${words} help --help --version'; else _origdst_offer '${words}'; fi`,
    '    return',
    '  fi',
    `  command=\${COMP_WORDS[first]}`,
    '  case $command in',
    ...topics.flatMap(([topic, below]) => [
      `    ${topic})`,
      `      if ((COMP_CWORD == first + 1)); then _origdst_offer '${secondWords(below).join(' ')}'; return; fi`,
      `      command="$command \${COMP_WORDS[first + 1]}" ;;`,
    ]),
    '  esac',
    '  if ((first == 2)); then return; fi',
    '  case $command in',
    ...commands.flatMap(oneCommand),
    '  esac',
    '}',
    '',
    'complete -F _origdst origdst',
    '',
  ].join('\n');
}

function oneCommand({ id, flags, takesFile }: CommandDeclaration): string[] {
  const offer = `_origdst_offer '${flags.map(({ name }) => `--${name}`).join(' ')} --help'`;
  const rest = takesFile ? `if [[ $current == -* ]]; then ${offer}; else _origdst_files; fi` : offer;
  const alike = Map.groupBy(
    flags.filter(({ value }) => value !== 'none'),
    values,
  );
  return [
    `    '${id}')`,
    '      case $previous in',
    ...[...alike].map(([offer, these]) => `        ${these.map(spelt).join(' | ')}) ${offer} ;;`),
    `        *) ${rest} ;;`,
    '      esac ;;',
  ];
}

/** As the word before its value. */
function spelt({ name, char, value }: Flag): string {
  if (value === 'optional') return `--${name}=`;
  return [`--${name}`, `--${name}=`, ...(char === undefined ? [] : [`-${char}`])].join(' | ');
}

const ACTION: Record<Exclude<Value, 'none' | 'words'>, string> = {
  optional: ':',
  namespace: '_origdst_namespaces',
  interface: '_origdst_interfaces',
  file: '_origdst_files',
  unknown: ':',
};

function values({ value, options }: Flag): string {
  if (value === 'words') return `_origdst_offer '${options.join(' ')}'`;
  return value === 'none' ? '' : ACTION[value];
}
