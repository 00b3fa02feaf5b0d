/** The manual pages say what the commands, the schemas and the catalogue are: no less, and no more. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { catalogue } from '../../platforms/index.ts';
import { type CommandDeclaration, declaredCommands } from '../../scripts/completions/commands.ts';
import { ExitCode } from '../../src/exit-codes.ts';
import { origdst } from '../support/cli.ts';
import { describedFlags, mentionedFlags, readPage, references, section } from '../support/mdoc.ts';

const ROOT = new URL('../../', import.meta.url);
const MAN = fileURLToPath(new URL('man/', ROOT));
const PAGES = readdirSync(MAN).sort();
const commands = await declaredCommands();

/** A command's own page, or the one of its topic. */
function pageOf({ id }: CommandDeclaration): string {
  const words = id.split(' ');
  const [own = '', topic = own] = [words, words.slice(0, 1)].map((part) => `origdst-${part.join('-')}.1`);
  return existsSync(MAN + own) ? own : topic;
}

/** All commands of a page: a topic has one for several. */
const byPage = Map.groupBy(commands, pageOf);

for (const [name, documented] of byPage) {
  describe(name, () => {
    const page = readPage(name);
    const flags = documented.flatMap((command) => command.flags);
    const spelt = new Set(
      flags.flatMap(({ name, char }) => (char === undefined ? [`-${name}`] : [`-${name}`, char])),
    );

    test('describes every flag of the command', () => {
      assert.deepEqual(
        [...spelt].filter((flag) => !describedFlags(page).has(flag)),
        [],
      );
    });

    test('speaks of no flag that the command has not', () => {
      assert.deepEqual(
        [...mentionedFlags(page)].filter((flag) => !spelt.has(flag)),
        [],
      );
    });

    test('names the words that a flag takes, or leads to the page that does', () => {
      const known = new Set(['auto', ...catalogue.map((mechanism) => mechanism.name)]);
      for (const { name: flag, options } of flags) {
        if (options.every((word) => known.has(word))) {
          if (options.length > 0) assert(references(page).includes('origdst-mechanisms.7'), `--${flag}`);
          continue;
        }
        for (const word of options) assert.match(page, new RegExp(`\\b${word}\\b`), `--${flag} ${word}`);
      }
    });

    test('is named after the command, and says how it exits', () => {
      assert.match(page, new RegExp(`^\\.Dt ${name.replace(/\.1$/, '').toUpperCase()} 1$`, 'm'));
      section(page, 'EXIT STATUS');
      section(page, 'EXAMPLES');
    });
  });
}

for (const { id, flags } of commands) {
  test(`help ${id} and ${id} --help are the same, and show the flags of the manual`, () => {
    const words = id.split(' ');
    const { code, stdout } = origdst([...words, '--help']);
    assert.equal(code, 0);
    assert.equal(origdst(['help', ...words]).stdout, stdout);
    // Sections begin at the margin: FLAGS, GLOBAL FLAGS.
    const sections = stdout.split(/\n(?=[A-Z])/).filter((text) => /^[A-Z ]*FLAGS\n/.test(text));
    const shown = sections.flatMap((text) =>
      [...text.matchAll(/^ {2,}(?:-\w, )?--([a-z][a-z-]*)/gm)].map(([, flag]) => flag),
    );
    assert.deepEqual([...new Set(shown)].sort(), flags.map(({ name }) => name).sort());
    assert.match(stdout, new RegExp(`\\$ (?:.* )?origdst ${id} ?`));
  });
}

describe('origdst.1', () => {
  const page = readPage('origdst.1');

  test('lists every command, and no other', () => {
    const listed = [...page.matchAll(/^\.It Cm (.+)$/gm)].map(([, words = '']) => words);
    const typed = commands.map(({ id }) => id);
    for (const id of typed)
      assert(
        listed.some((words) => words === id || id.startsWith(`${words} `)),
        id,
      );
    for (const words of listed)
      assert(
        typed.some((id) => id === words || id.startsWith(`${words} `)),
        `there is no ${words}`,
      );
  });

  test('leads to every other page', () => {
    const others = PAGES.filter((name) => name !== 'origdst.1');
    assert.deepEqual(
      others.filter((name) => !references(page).includes(name)),
      [],
    );
  });
});

describe('all pages', () => {
  test('package.json installs every one', () => {
    const { man } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'));
    assert.deepEqual(
      [...man].sort(),
      PAGES.map((name) => `./man/${name}`),
    );
  });

  test('every command has one', () => {
    for (const name of byPage.keys()) assert(PAGES.includes(name), name);
  });

  test('they refer to pages of ours that exist', () => {
    for (const name of PAGES) {
      const ours = references(readPage(name)).filter((page) => page.startsWith('origdst'));
      assert.deepEqual(
        ours.filter((page) => !PAGES.includes(page)),
        [],
        name,
      );
    }
  });

  test('mandoc finds no fault, and every line fits into 80 columns', () => {
    for (const name of PAGES) {
      const lint = spawnSync('mandoc', ['-T', 'lint', '-W', 'style', MAN + name], { encoding: 'utf8' });
      const faults = lint.stdout.split('\n').filter((line) => line !== '' && !/manual not found/.test(line));
      assert.deepEqual(faults, []);
      const shown = spawnSync('mandoc', ['-T', 'utf8', MAN + name], { encoding: 'utf8' }).stdout;
      assert.deepEqual(
        shown.split('\n').filter((line) => width(line) > 80),
        [],
        name,
      );
    }
  });
});

describe('origdst-json.5', () => {
  const page = readPage('origdst-json.5');
  const schemas = readdirSync(new URL('schemas/', ROOT)).map((file) =>
    JSON.parse(readFileSync(new URL(`schemas/${file}`, ROOT), 'utf8')),
  );
  const entries = new Set(
    [...page.matchAll(/^\.It Li (.+)$/gm)].flatMap(([, words = '']) => words.split(/ , /)),
  );

  for (const schema of schemas) {
    test(`${schema.$id}: every property has an entry, every word that it can be is named`, () => {
      assert(page.includes(schema.$id), schema.$id);
      assert.deepEqual(
        [...propertiesOf(schema)].filter((name) => !entries.has(name)),
        [],
      );
      for (const word of wordsOf(schema))
        assert.match(page, new RegExp(`(?<![a-z-])${word}(?![a-z-])`), word);
    });
  }

  test('it has no entry for a property that no schema has', () => {
    const known = new Set(schemas.flatMap((schema) => [...propertiesOf(schema)]));
    assert.deepEqual(
      [...entries].filter((name) => !known.has(name)),
      [],
    );
  });

  for (const name of ['origdst-json.5', 'origdst.1']) {
    test(`${name} has every exit code`, () => {
      const text = section(readPage(name), 'EXIT STATUS');
      const codes = [...text.matchAll(/^\.It (\d+)/gm)].map(([, code]) => Number(code));
      assert.deepEqual(codes, Object.values(ExitCode));
    });
  }
});

/** Bold and underlined letters are printed twice, with a backspace between. */
function width(line: string): number {
  return [...line].length - 2 * (line.split('\b').length - 1);
}

/** The names of all properties, at any depth. */
function propertiesOf(schema: unknown): Set<string> {
  const found = new Set<string>();
  everyObject(schema, ({ properties }) => {
    for (const name of Object.keys((properties as object | undefined) ?? {})) found.add(name);
  });
  return found;
}

/** The words of all enumerations. */
function wordsOf(schema: unknown): Set<string> {
  const found = new Set<string>();
  everyObject(schema, (part) => {
    if (!Array.isArray(part.enum)) return;
    for (const word of part.enum) if (typeof word === 'string') found.add(word);
  });
  return found;
}

function everyObject(value: unknown, visit: (part: Record<string, unknown>) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) visit(value as Record<string, unknown>);
  for (const part of Object.values(value)) everyObject(part, visit);
}

test('origdst-mechanisms.7 has a section for every mechanism of the catalogue, in its order', () => {
  const headings = [...readPage('origdst-mechanisms.7').matchAll(/^\.Ss (\S+)/gm)].map(([, name]) => name);
  const names = catalogue.map(({ name }) => name);
  assert.deepEqual(
    headings.filter((name) => names.some((known) => known === name)),
    names,
  );
});
