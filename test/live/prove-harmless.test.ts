/**
 * `capabilities --prove` leaves nothing behind: run again and again, at once, and killed at random.
 * ORIGDST_STRESS=1 runs the long version: 200 in a row, 8 at once, 100 killed.
 */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CapabilityReport } from '../../src/matrix.ts';
import { RUN } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { type HostState, hostState, marked } from '../support/host-state.ts';

const LONG = Boolean(process.env.ORIGDST_STRESS);
const IN_A_ROW = LONG ? 200 : 6;
const AT_ONCE = 8;
const KILLED = LONG ? 100 : 12;
/** Longer than a run takes, so that kills hit every moment of one, and its end. */
const LAST_KILL_MS = 900;

const USERS = [
  { name: 'root', ids: {} },
  { name: 'an unprivileged user', ids: { uid: 65534, gid: 65534 } },
];

function start(mark: string, ids: { uid?: number; gid?: number }): ChildProcess {
  return spawn(process.execPath, [RUN, 'capabilities', '--prove', '--json'], {
    env: { ...process.env, ORIGDST_TEST_MARK: mark },
    stdio: ['ignore', 'pipe', 'inherit'],
    ...ids,
  });
}

/** Identities with verdicts: what all runs must agree on. */
async function verdicts(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const [code] = await once(child, 'close');
  const { results, proof } = JSON.parse(text) as CapabilityReport;
  const broken = proof?.proofs.filter(({ verdict }) => verdict === 'broken') ?? [];
  const causes = broken.map(({ id, cause }) => `${id}: ${cause}`);
  return [`exit code ${code}`, ...results.map(({ id, verdict }) => `${id} ${verdict}`), ...causes].join('\n');
}

async function assertNothingLeft(mark: string, before: HostState): Promise<void> {
  await eventually(
    () => marked(mark).length === 0,
    () => `the end of processes ${marked(mark).join(', ')}`,
  );
  assert.deepEqual(hostState(), before);
}

for (const { name, ids } of USERS) {
  test(`${IN_A_ROW} runs in a row and ${AT_ONCE} at once, by ${name}: all agree, nothing is left`, async () => {
    const mark = randomUUID();
    const before = hostState();
    const first = await verdicts(start(mark, ids));
    assert.match(first, /^exit code 0\n/);
    for (let run = 1; run < IN_A_ROW; run += 1) assert.equal(await verdicts(start(mark, ids)), first);
    const together = await Promise.all(Array.from({ length: AT_ONCE }, () => verdicts(start(mark, ids))));
    for (const one of together) assert.equal(one, first);
    await assertNothingLeft(mark, before);
  });

  test(`killed ${KILLED} times at random, by ${name}: nothing is left`, async () => {
    const mark = randomUUID();
    const before = hostState();
    for (let run = 0; run < KILLED; run += 1) {
      const child = start(mark, ids);
      child.stdout?.resume();
      const ended = once(child, 'close');
      await sleep(randomInt(LAST_KILL_MS));
      child.kill('SIGKILL');
      await ended;
    }
    await assertNothingLeft(mark, before);
  });
}
