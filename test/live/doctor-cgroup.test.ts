/** A BPF program of a cgroup is seen by the doctor, and its remedy takes it off. */

import assert from 'node:assert/strict';
import { execFileSync, execSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Diagnosis } from '../../src/diagnosis/doctor.ts';
import { origdst } from '../support/cli.ts';
import { Scratch } from '../support/scratch.ts';

const SOURCE = fileURLToPath(new URL('../support/cgroup-program.c', import.meta.url));

function cgroupMount(): string {
  const line = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .find((one) => one.split(' ')[2] === 'cgroup2');
  assert(line !== undefined, 'no cgroup2 is mounted');
  return line.split(' ')[1] ?? '';
}

function seen(cgroup: string) {
  const { problems } = JSON.parse(origdst(['doctor', '--json']).stdout) as Diagnosis;
  return problems.find(({ id, cause }) => id === 'cgroup-program' && cause.includes(cgroup));
}

test('a program at connect4 is named, and bpftool detaches it as printed', () => {
  const folder = new Scratch('root');
  const program = folder.file('cgroup-program');
  execFileSync('gcc', ['-Wall', '-Wextra', '-Werror', '-o', program, SOURCE]);
  const cgroup = join(cgroupMount(), `origdst-test-${process.pid}`);
  mkdirSync(cgroup);
  try {
    assert.equal(seen(cgroup), undefined);
    execFileSync(program, [cgroup]);
    const problem = seen(cgroup);
    assert.equal(problem?.severity, 'info');
    assert.match(problem?.cause ?? '', /rewrite the destination at connect4/);
    execSync(problem?.remedy ?? 'false', { stdio: 'ignore' });
    assert.equal(seen(cgroup), undefined);
  } finally {
    rmdirSync(cgroup);
    folder.remove();
  }
});
