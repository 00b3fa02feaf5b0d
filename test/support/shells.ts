/** What a shell itself offers for a line that is being typed, by the completion files as they are installed. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const FOLDER = fileURLToPath(new URL('../../completions/', import.meta.url));

export type Shell = 'bash' | 'zsh' | 'fish';

/** The words that are offered for the last word of each line. */
export function offered(shell: Shell, lines: readonly string[]): string[][] {
  return { bash: byBash, zsh: byZsh, fish: byFish }[shell](lines);
}

/** Runs a script, which gets the lines as its arguments. */
export function run(
  shell: Shell,
  options: readonly string[],
  script: string,
  lines: readonly string[] = [],
): string {
  const args = [...options, '-c', script, ...(shell === 'fish' ? [] : [shell]), ...lines];
  const env = { ...process.env, TERM: 'dumb', LC_ALL: 'C.UTF-8' };
  const child = spawnSync(shell, args, { encoding: 'utf8', timeout: 60_000, env });
  assert.equal(child.status, 0, `${shell}: ${child.error?.message ?? child.stderr}`);
  assert.equal(child.stderr, '');
  return child.stdout;
}

const END = '=end=';

function split(output: string): string[][] {
  return output
    .split(`${END}\n`)
    .slice(0, -1)
    .map((text) => text.split('\n').filter((word) => word !== ''));
}

/** Calls the function that bash itself would call, with what readline makes of the line: = is a word of its own. */
function byBash(lines: readonly string[]): string[][] {
  const script = `
    . '${FOLDER}origdst.bash'
    [[ $(complete -p origdst) == *' -F '* ]] || exit 1
    for line; do
      read -ra COMP_WORDS <<<"\${line//=/ = }"
      if [[ $line == *[\\ ] ]]; then COMP_WORDS+=(''); fi
      COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
      _origdst
      printf '%s\\n' "\${COMPREPLY[@]}" '${END}'
    done`;
  return split(run('bash', ['--norc'], script, lines));
}

function byFish(lines: readonly string[]): string[][] {
  const script = `
    source '${FOLDER}origdst.fish'
    for line in $argv; complete -C "$line" | string replace -r '\\t.*' ''; echo '${END}'; end`;
  return split(run('fish', ['--no-config'], script, lines));
}

/** An interactive zsh on a terminal of its own: its completion works nowhere else. */
function byZsh(lines: readonly string[]): string[][] {
  const script = `
    zmodload zsh/zpty
    zpty inner zsh -f -i
    zpty -w inner "unset zle_bracketed_paste; PROMPT=; stty -echo cols 200; LISTMAX=10000; fpath=('${FOLDER}' \\$fpath)"
    zpty -w inner "autoload -Uz compinit; compinit -u -D; zstyle ':completion:*' verbose no"
    zpty -w inner "offer() { zle list-choices; zle -R; print -r -- '=e''nd=' }; zle -N offer; bindkey '^G' offer"
    zpty -w inner "print RE''ADY"
    zpty -r inner seen '*READY*'
    for line; do
      zpty -n -w inner "$line"$'\\a'
      zpty -r inner seen '*${END}*'
      print -r -- "$seen"
      zpty -n -w inner $'\\x15'
    done`;
  const shown = run('zsh', ['-f'], script, lines).replaceAll('\r', '').split(END).slice(0, -1);
  // The line as it was typed stands above the list, and again below it.
  return shown.map((text, at) => {
    const list = text.split((lines[at] ?? '').trimEnd()).at(-2) ?? '';
    return list.split(/\s+/).filter((word) => word !== '');
  });
}
