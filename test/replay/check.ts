/**
 * What the replay test asserts, as a program: exit status 0 when every case of the named systems is asked as it was
 * recorded and reads as in the golden files. For the mutations, which change the sources under it.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogue } from '../../platforms/index.ts';
import type { Bsd } from './build.ts';
import { readCases, replay } from './replay.ts';
import { report } from './report.ts';

const ROOT = join(import.meta.dirname, '..', '..');

const files = readCases(ROOT);
for (const os of process.argv.slice(2) as Bsd[]) {
  const rows = replay(join(ROOT, 'build', 'replay', `${os}-plain`), os, files, catalogue);
  for (const { mismatch } of rows) if (mismatch !== '') fail(mismatch);
  for (const [mechanism, own] of Map.groupBy(rows, (row) => row.mechanism)) {
    const golden = readFileSync(join(ROOT, 'test', 'golden', 'bsd', `${mechanism}.${os}.txt`), 'utf8');
    if (report(own) !== golden) fail(`${mechanism}.${os}.txt`);
  }
}

function fail(what: string): never {
  process.stderr.write(`${what}\n`);
  process.exit(1);
}
