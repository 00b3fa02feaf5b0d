/**
 * What real FreeBSD, NetBSD and OpenBSD kernels were asked and answered, replayed through the backends of those systems
 * and through the conclusions that a host of theirs draws. The programs are built with AddressSanitizer and
 * UndefinedBehaviorSanitizer, and end at the first report.
 *
 * UPDATE_GOLDEN=1 writes the golden files anew; the difference is then for a person to read.
 */

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { catalogue } from '../../platforms/index.ts';
import { buildReplay, SYSTEMS } from '../replay/build.ts';
import { type Replayed, readCases, replay } from '../replay/replay.ts';
import { report } from '../replay/report.ts';
import { assertSchema } from '../support/schema.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const GOLDEN = fileURLToPath(new URL('../golden/bsd/', import.meta.url));

const files = readCases(ROOT);

for (const os of SYSTEMS) {
  describe(os, () => {
    const rows = replay(buildReplay(ROOT, os), os, files, catalogue);

    for (const row of rows) test(`${row.mechanism}: ${row.one.name}`, () => assertReplayed(row));

    for (const [mechanism, own] of Map.groupBy(rows, (row) => row.mechanism)) {
      test(`${mechanism}: what a user sees`, () => assertGolden(`${mechanism}.${os}.txt`, report(own)));
    }
  });
}

test('the cases have the published shape', () => {
  for (const file of files) assertSchema('replay-cases', file);
});

test('every step of every recording is used, or left out with a reason', () => {
  for (const { recordings } of files) {
    for (const { recording, unused } of recordings) {
      for (const [step, reason] of Object.entries(unused)) assert(reason !== '', `${recording} ${step}`);
    }
  }
});

function assertReplayed(row: Replayed): void {
  const { one, conclusion } = row;
  assert.equal(row.mismatch, '', 'the backend asks what the real kernel was asked');
  assert(row.steps.length > 0 || one.operation === 'message', 'a verdict without a step is a bug');
  if (one.operation === 'message') {
    assert.equal(place(row.original), canonical(one.recordedOriginal ?? null));
    return;
  }
  if (one.operation === 'prepare') return;
  assert(conclusion !== null);
  const good = conclusion.verdict === 'translated' || conclusion.verdict === 'available';
  assert.equal(conclusion.cause === null, good, `cause: ${conclusion.cause}`);
  assert.equal(conclusion.remedy === null, good, `remedy: ${conclusion.remedy}`);
  // EPERM and EACCES at a device are never "there is none".
  const refused = row.steps.some(
    ({ call, errorName }) => call === 'open' && /^EPERM$|^EACCES$/.test(errorName ?? ''),
  );
  if (refused) assert.equal(conclusion.verdict, 'denied');
  if (one.recordedOriginal === undefined) return;
  assert.equal(place(row.original), canonical(one.recordedOriginal), 'as the recording program decoded it');
}

function place(endpoint: Replayed['original']): string | null {
  if (endpoint === null) return null;
  return endpoint.family === 6
    ? `[${endpoint.address}]:${endpoint.port}`
    : `${endpoint.address}:${endpoint.port}`;
}

/** The recording programs wrote IPv6 addresses without `::`. */
function canonical(text: string | null): string | null {
  return text?.replace(/\[(.+)\]/, (_, address) => new URL(`http://[${address}]`).hostname) ?? null;
}

function assertGolden(name: string, text: string): void {
  if (process.env.UPDATE_GOLDEN) {
    mkdirSync(GOLDEN, { recursive: true });
    writeFileSync(`${GOLDEN}${name}`, text);
  }
  assert.equal(text, readFileSync(`${GOLDEN}${name}`, 'utf8'));
}
