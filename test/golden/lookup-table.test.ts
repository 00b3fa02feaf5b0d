/** What `lookup` draws, to the byte: plain, coloured, and where the addresses are too wide. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { LookupResult } from '../../src/inquiry.ts';
import { renderLookup } from '../../src/render/lookup-table.ts';
import type { Output } from '../../src/render/output.ts';

function result(of: Partial<LookupResult>): LookupResult {
  return {
    flow: {
      protocol: 'tcp',
      peer: { address: '192.0.2.2', port: 40112 },
      local: { address: '192.0.2.1', port: 3129 },
      pid: 4711,
      fd: 12,
      process: 'squid',
      netns: null,
      zone: 0,
    },
    original: { address: '198.51.100.2', port: 80 },
    verdict: 'translated',
    reason: 'translated',
    mechanism: 'netfilter',
    evidence: [],
    cause: null,
    remedy: null,
    ...of,
  };
}

const MIXED = [
  result({}),
  result({
    verdict: 'untranslated',
    original: null,
    cause:
      'The connection is tracked and its destination was not changed: the client addressed this socket itself.',
    remedy: 'nft list ruleset   # does a redirect or dnat rule match this client and port?',
  }),
  result({
    verdict: 'untranslated',
    original: null,
    cause:
      'The connection is tracked and its destination was not changed: the client addressed this socket itself.',
    remedy: 'nft list ruleset   # does a redirect or dnat rule match this client and port?',
  }),
];

const WIDE = [
  result({
    flow: {
      ...result({}).flow,
      peer: { address: '2001:db8:1111:2222:3333:4444:5555:6666', port: 40112 },
      local: { address: '2001:db8:1111:2222:3333:4444:5555:7777', port: 3129 },
    },
    original: { address: '2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff', port: 443 },
  }),
];

function drawn(results: LookupResult[], colour: 0 | 1, limit = 80): string {
  const pieces: string[] = [];
  const output: Output = { write: (text) => void pieces.push(text), width: 80, limit, colour };
  renderLookup(results, output);
  return pieces.join('');
}

/** UPDATE_GOLDEN=1 writes the files anew; the difference is then for a person to read. */
function assertGolden(name: string, text: string): void {
  const path = new URL(`${name}.txt`, import.meta.url);
  if (process.env.UPDATE_GOLDEN) writeFileSync(path, text);
  assert.equal(text, readFileSync(path, 'utf8'));
}

test('a table, and each cause once', () => assertGolden('lookup-table', drawn(MIXED, 0)));
test('in colour', () => assertGolden('lookup-colour', drawn(MIXED, 1)));
test('blocks where 80 columns are too few', () => assertGolden('lookup-wide', drawn(WIDE, 0)));
test('a pipe has no edge: always one line a connection', () =>
  assertGolden('lookup-pipe', drawn(WIDE, 0, Number.POSITIVE_INFINITY)));
test('no line is wider than the terminal', () => {
  for (const line of drawn([...MIXED, ...WIDE], 0).split('\n')) assert(line.length <= 80, line);
});
