/** The README shows what the program prints. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { origdst } from '../support/cli.ts';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** The first line names the host, and differs from host to host. */
test('the table of capabilities --prove is what was printed', () => {
  const [, block = ''] = /```console\n# origdst (capabilities --prove[^\n]*\n[\s\S]*?)```/.exec(README) ?? [];
  const [command = '', , ...shown] = block.trimEnd().split('\n');
  const [, ...printed] = origdst(command.split(' ')).stdout.trimEnd().split('\n');
  assert.deepEqual(printed, shown);
});

test('every command of the quick start exists', () => {
  const named = [...README.matchAll(/`origdst ([a-z-]+)/g)].map(([, command]) => command ?? '');
  assert(named.length >= 2);
  for (const command of new Set(named)) assert.equal(origdst([command, '--help']).code, 0, command);
});
