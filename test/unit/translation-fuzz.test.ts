/** Whatever the bytes: nothing throws, positions are right, and formatting changes nothing for the loader. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TARGETS } from '../../src/convert/conversion.ts';
import { convert } from '../../src/convert/convert.ts';
import { check } from '../../src/translation/check.ts';
import { explain, Undecided } from '../../src/translation/explain.ts';
import { parseFlow } from '../../src/translation/flow.ts';
import { format } from '../../src/translation/format.ts';
import type { LoadedFile } from '../../src/translation/loaded.ts';
import { load } from '../../src/translation/loader.ts';
import { asRule } from '../../src/translation/rule.ts';
import { tokenize } from '../../src/translation/token.ts';
import { Random, randomFile, seed } from '../support/rules-random.ts';

const WORLD = {
  clients: ['192.0.2.2', '192.0.2.3', '0.0.0.0', '255.255.255.255'],
  targets: ['198.51.100.2', '198.51.100.77', '10.0.0.0'],
  newAddresses: ['192.0.2.1', '127.0.0.1'],
  sourceAddresses: ['198.51.100.1', '203.0.113.9'],
  ports: [0, 1, 80, 110, 65535],
  devices: ['eth0', 'nosuchinterface0'],
};
const PIECES = [
  ...[
    'RULE\n',
    'BSRULE\n',
    'BSRUX\n',
    'END\n',
    '\r\n',
    '\n',
    '\0',
    ' ',
    '=',
    '_NOT',
    '_END_',
    'x'.repeat(600),
    '\xef\xbb\xbf',
  ],
  ...[
    'MYSRCADDR\n',
    'MYDSTADDR_NOT\n',
    '_END_SRCPORT=9\n',
    'SRCADDR51=1.2.3.4\n',
    'MSS_VALUE=9\n',
    'DIRECTION=INPUT\n',
  ],
  ...['-1', '99999999999', '\u00e9', '\x1b[31m', '0x10', '010'],
];

function mutated(random: Random): string {
  let text = randomFile(random, WORLD);
  for (let change = random.below(5); change > 0; change--) {
    const at = random.below(text.length + 1);
    const cut = random.chance(50) ? 0 : random.below(12);
    const piece = random.chance(60) ? random.of(PIECES) : String.fromCharCode(random.below(256));
    text = text.slice(0, at) + piece + text.slice(at + cut);
  }
  return Buffer.from(text, 'latin1').toString('latin1');
}

function noise(random: Random): string {
  let text = '';
  for (let length = random.below(400); length > 0; length--) {
    text += random.chance(20) ? random.of(PIECES) : String.fromCharCode(random.below(256));
  }
  return Buffer.from(text, 'latin1').toString('latin1');
}

const FLOW = {
  ...parseFlow('tcp 192.0.2.2:40000 198.51.100.2:110'),
  inDevice: null,
  outDevice: null,
  ownAddress: null,
};

test('random bytes and mutated files', () => {
  const from = seed();
  const random = new Random(from);
  for (let round = 0; round < 1000; round++) {
    const file = random.chance(30) ? noise(random) : mutated(random);
    const words = () => `ORIGDST_SEED=${from}, round ${round}: ${JSON.stringify(file)}`;
    assertTokens(file, words());
    assertFindings(file, words());
    assertFormat(file, words());
    for (const to of TARGETS)
      convert('f', file, to, { interface: 'em0', pf: random.of(['freebsd', 'openbsd']) });
    const loaded = load(file);
    try {
      explain(loaded, loaded.rules.map(asRule), FLOW, random.chance(50));
    } catch (error) {
      assert(error instanceof Undecided, words());
    }
  }
});

/** Tokens lie one after the other, and each is found where it says. */
function assertTokens(file: string, words: string): void {
  const lines = file.split('\n');
  let end = 0;
  for (const token of tokenize(file)) {
    assert(token.offset >= end, words);
    end = token.offset + token.text.length;
    assert.equal(file.slice(token.offset, end), token.text, words);
    assert.equal(
      lines[token.line - 1]?.slice(token.column - 1, token.column - 1 + token.text.length),
      token.text,
      words,
    );
    if (token.kind !== 'keyword' || token.value === null) continue;
    assert.equal(token.text.slice(token.valueColumn - token.column), token.value, words);
  }
}

function assertFindings(file: string, words: string): void {
  const lines = file.split('\n');
  const { findings, loader } = check('f', file);
  for (const { line, column, cause } of findings) {
    assert(line >= 1 && line <= lines.length, words);
    assert(column >= 1 && column <= (lines[line - 1]?.length ?? 0) + 1, words);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is about them
    assert(!/[\x00-\x1f\x7f-\x9f]/.test(cause), words);
  }
  assert.equal(loader.outcome === 'refused', load(file).status === 1, words);
}

function assertFormat(file: string, words: string): void {
  const once = format(file);
  assert.equal(format(once), once, words);
  assert.deepEqual(meaning(load(once)), meaning(load(file)), words);
  const lines = (text: string) => text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  if (file !== '') assert.equal(lines(once), lines(file), words);
}

/** All that the loader makes of a file, but for the tokens that it made it from. */
function meaning({ rules, refusals, says, status }: LoadedFile): unknown {
  const bare = rules.map(
    ({ tokens: _, place, sourceAddress, destinationAddress, sourcePort, destinationPort, ...rest }) => ({
      ...rest,
      line: place.line,
      slots: [sourceAddress, destinationAddress, sourcePort, destinationPort].map(
        ({ is, meaning, values }) => ({ is, meaning, values }),
      ),
    }),
  );
  return { bare, refusals: refusals.map(({ line, reason }) => [line, reason]), says, status };
}

test('files as people write them stay as they are', () => {
  const random = new Random(1);
  for (let round = 0; round < 200; round++) {
    const file = randomFile(random, WORLD);
    assert.equal(format(file), file);
  }
});
