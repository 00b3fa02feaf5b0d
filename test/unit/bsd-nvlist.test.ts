/** NPF's answer cut off anywhere, or with any byte changed: read no further than it goes, under the sanitizers. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { catalogue } from '../../platforms/index.ts';
import { buildReplay } from '../replay/build.ts';
import { type Case, type CaseFile, readCases, replay } from '../replay/replay.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const files = readCases(ROOT);
const npf = files.find(({ mechanism }) => mechanism === 'npf') as CaseFile;
const found = npf.recordings[0]?.cases.find(({ name }) => name.startsWith('lookup-tcp4: ')) as Case;

/** The recorded answer with other bytes; the length that the kernel gives is that of the bytes. */
function answered(name: string, bytes: Buffer): Case {
  const [open, ask] = found.calls;
  assert(open !== undefined && ask !== undefined);
  const reference = Buffer.from(ask.out?.[0] ?? '', 'hex');
  reference.writeUInt32LE(bytes.length, 8);
  return {
    ...found,
    name,
    calls: [open, { ...ask, out: [reference.toString('hex'), bytes.toString('hex')] }],
  };
}

function ask(cases: Case[]) {
  const set = { ...(npf.recordings[0] as CaseFile['recordings'][number]), cases };
  return replay(buildReplay(ROOT, 'netbsd'), 'netbsd', [{ ...npf, recordings: [set] }], catalogue);
}

const whole = Buffer.from(found.calls[1]?.out?.[1] ?? '', 'hex');

test('cut off after any byte: said to be malformed, never half believed', () => {
  const cut = Array.from({ length: whole.length }, (_, length) =>
    answered(`${length}`, whole.subarray(0, length)),
  );
  for (const { one, original, steps, mismatch } of ask(cut)) {
    assert.equal(mismatch, '');
    assert.equal(original, null, `after ${one.name} bytes`);
    assert.equal(steps.at(-1)?.errorName, 'EBADMSG', `after ${one.name} bytes`);
  }
});

test('any byte changed: an answer or none, and nothing read beyond the end', () => {
  const changed = Array.from({ length: whole.length }, (_, at) => {
    const bytes = Buffer.from(whole);
    bytes[at] = 0xff - (bytes[at] ?? 0);
    return answered(`${at}`, bytes);
  });
  const rows = ask(changed);
  assert.equal(rows.length, whole.length);
  for (const { mismatch } of rows) assert.equal(mismatch, '');
});
