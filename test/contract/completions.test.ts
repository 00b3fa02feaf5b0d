/** What bash, zsh and fish offer, asked in the shells themselves, is what the commands take. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { bashCompletion } from '../../scripts/completions/bash.ts';
import { declaredCommands, firstWords, secondWords } from '../../scripts/completions/commands.ts';
import { fishCompletion } from '../../scripts/completions/fish.ts';
import { zshCompletion } from '../../scripts/completions/zsh.ts';
import { FOLDER, offered, type Shell } from '../support/shells.ts';

const commands = await declaredCommands();
const topics = [...firstWords(commands)].filter(([, below]) => secondWords(below).length > 0);
const first = [...firstWords(commands).keys()];

const FILES: Record<Shell, string> = { bash: 'origdst.bash', zsh: '_origdst', fish: 'origdst.fish' };
const MADE: Record<Shell, string> = {
  bash: bashCompletion(commands),
  zsh: zshCompletion(commands),
  fish: fishCompletion(commands),
};

/** A line, and all that may follow it. */
const LINES: [string, string[]][] = [
  ['origdst help ', first],
  ['origdst list', ['listen-test']],
  ...topics.map(([topic, below]): [string, string[]] => [`origdst ${topic} `, secondWords(below)]),
  ...commands.flatMap(({ id, flags }): [string, string[]][] => [
    [`origdst ${id} --`, [...flags.map(({ name }) => `--${name}`), '--help']],
    ...flags
      .filter(({ options }) => options.length > 0)
      .map(({ name, options }): [string, string[]] => [`origdst ${id} --${name} `, [...options]]),
    // What nobody can guess is left to the user.
    ...flags
      .filter(({ value }) => value === 'unknown')
      .map(({ name }): [string, string[]] => [`origdst ${id} --${name} `, []]),
  ]),
  ['origdst doctor --protocol=', ['tcp', 'udp']],
  ['origdst doctor --protocol=u', ['udp']],
  ['origdst capabilities --prove --key', []],
  ['origdst capabilities --prove --kee', ['--keep-lab']],
];

for (const shell of ['bash', 'zsh', 'fish'] satisfies Shell[]) {
  describe(shell, () => {
    test('the file is the one that the build makes of the commands', () => {
      assert.equal(readFileSync(FOLDER + FILES[shell], 'utf8'), MADE[shell]);
    });

    test('the shell finds no fault with it', () => {
      const checked = spawnSync(shell, ['-n', FOLDER + FILES[shell]], { encoding: 'utf8' });
      assert.equal(checked.stderr, '');
      assert.equal(checked.status, 0);
    });

    test('it offers the commands', () => {
      const [words = []] = offered(shell, ['origdst ']);
      for (const word of [...first, 'help']) assert(words.includes(word), word);
    });

    test('it offers every flag and every value, and nothing else', () => {
      const answers = offered(
        shell,
        LINES.map(([line]) => line),
      );
      for (const [at, [line, words]] of LINES.entries()) {
        assert.deepEqual((answers[at] ?? []).map(value).sort(), [...words].sort(), line);
      }
    });

    test('it offers files where a command takes one', () => {
      for (const { id } of commands.filter(({ takesFile }) => takesFile)) {
        const [words = []] = offered(shell, [`origdst ${id} ${FOLDER}`]);
        assert(
          words.some((word) => word.endsWith('origdst.fish')),
          `${id}: ${words}`,
        );
      }
    });
  });
}

/** fish offers the whole word: --protocol=udp. zsh shows that a value follows: --port=. */
function value(word: string): string {
  return word.replace(/^--[a-z-]+=(?=.)/, '').replace(/=$/, '');
}
