/** Descriptors never leak: counted before and after. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { catalogue } from '../../platforms/index.ts';
import { Lab, SERVER } from '../../src/lab/lab.ts';
import { lookup } from '../../src/lookup.ts';
import { survey } from '../../src/matrix.ts';
import { requireNative } from '../../src/native.ts';

const native = requireNative();

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** The first round may open what stays (an epoll, a pipe to a child): it is not counted. */
function assertNoLeak(rounds: number, act: () => void): void {
  act();
  const before = descriptors();
  for (let round = 0; round < rounds; round++) act();
  assert.equal(descriptors(), before);
}

test('probing every row', () => assertNoLeak(50, () => void survey(native, catalogue)));

test('building and closing labs', () => assertNoLeak(10, () => new Lab(native).close()));

test('lookups by addresses, here and in another namespace', () => {
  const lab = new Lab(native);
  const [peer, local] = [
    { address: '192.0.2.2', port: 1, family: 4 },
    { address: '192.0.2.1', port: 2, family: 4 },
  ] as const;
  for (const netns of [null, lab.gateway.path]) {
    assertNoLeak(
      20,
      () => void lookup(native, { way: 'tuple', peer, local, protocol: 'tcp', netns, zone: 0 }, 'auto'),
    );
  }
  lab.close();
});

test('lookups of sockets of a process', () => {
  const lab = new Lab(native);
  const listener = native.openSocket(4, 'tcp', lab.server.netns).fd ?? -1;
  native.bind(listener, { address: '0.0.0.0', port: 80 });
  native.listen(listener, 8);
  const client = native.openSocket(4, 'tcp', lab.client.netns).fd ?? -1;
  native.connect(client, { address: SERVER[4], port: 80 });
  native.poll([listener], 'read', 5000);
  const accepted = native.accept(listener).result;
  assertNoLeak(20, () => void lookup(native, { way: 'fd', fd: accepted }, 'auto'));
  assertNoLeak(
    20,
    () => void lookup(native, { way: 'pid', pid: process.pid, fd: accepted, protocol: 'tcp' }, 'auto'),
  );
  for (const fd of [listener, client, accepted]) native.close(fd);
  lab.close();
});

test('refusals: a closed descriptor, a namespace that is none, a thread that comes back', () => {
  assertNoLeak(50, () => {
    assert.equal(native.describe(999).steps[0]?.errorName, 'EBADF');
    assert.equal(native.takeDescriptor(2 ** 22 + 1, 0).fd, null);
    assert.throws(() => native.inNamespace(0, () => 1), /setns/);
    assert.equal(native.socketNamespace(999).fd, null);
  });
});
