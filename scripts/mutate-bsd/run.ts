/**
 * Does a test notice when an offset, a request number or the meaning of an error is wrong?
 *
 *   node scripts/mutate-bsd/run.ts [PART-OF-A-PATH]
 *
 * Mutates each in a copy of the sources, runs what the replay test runs, and counts the survivors: none is wanted.
 * Exit status 1 when there is one.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bsd, buildReplay, SYSTEMS } from '../../test/replay/build.ts';
import { cMutants, conclusionMutants, type Mutant } from './mutants.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const [only = ''] = process.argv.slice(2);

const copy = mkdtempSync(join(tmpdir(), 'origdst-mutants-'));
process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
for (const folder of ['native', 'platforms', 'src', 'test/replay', 'test/golden/bsd']) {
  cpSync(join(ROOT, folder), join(copy, folder), { recursive: true });
}
cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'));
symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));

const CHECK = join(copy, 'test', 'replay', 'check.ts');

if (!check(SYSTEMS)) {
  process.stderr.write('mutate: the replay fails without any mutation\n');
  process.exit(2);
}

const mutants = [...cMutants(ROOT), ...conclusionMutants(ROOT)].filter(({ path }) => path.includes(only));
const survivors = mutants.filter((mutant) => {
  const path = join(copy, mutant.path);
  const original = readFileSync(path, 'utf8');
  writeFileSync(path, mutant.text);
  const noticed = isNoticed(mutant);
  writeFileSync(path, original);
  return !noticed;
});
for (const { path, line, change } of survivors)
  process.stdout.write(`survived: ${path}:${line}: ${change}\n`);
process.stdout.write(
  `${mutants.length} mutants, ${mutants.length - survivors.length} noticed, ${survivors.length} survived\n`,
);
process.exit(survivors.length === 0 ? 0 : 1);

function isNoticed(mutant: Mutant): boolean {
  const systems = SYSTEMS.filter((os) => concerns(mutant.path, os));
  if (mutant.path.endsWith('.ts')) return !check(systems, false);
  try {
    for (const os of systems) buildReplay(copy, os, { sanitize: false });
  } catch {
    return true; // an assertion of the compiler
  }
  return !check(systems, false);
}

function concerns(path: string, os: Bsd): boolean {
  return !SYSTEMS.some((other) => other !== os && path.includes(`/${other}/`) && !path.includes('/bsd/'));
}

/** As the replay test does, in a process of its own: the sources are loaded anew. */
function check(systems: readonly Bsd[], build = true): boolean {
  if (build) for (const os of systems) buildReplay(copy, os, { sanitize: false });
  const run = spawnSync(process.execPath, [CHECK, ...systems], {
    cwd: copy,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return run.status === 0;
}
