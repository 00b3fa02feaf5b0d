/** The thread provably returns from every namespace. */

import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { LabHost } from '../../src/lab/host.ts';
import { requireNative } from '../../src/native.ts';

const native = requireNative();
const here = () => readlinkSync('/proc/thread-self/ns/net');

test('inside is another namespace, and afterwards it is the same as before', () => {
  const before = here();
  const host = new LabHost(native, 'one');
  const inside = host.within(here);
  assert.notEqual(inside, before);
  assert.equal(here(), before);
  host.close();
});

test('also when the callback throws, and when calls are nested', () => {
  const before = here();
  const [one, two] = [new LabHost(native, 'one'), new LabHost(native, 'two')];
  assert.throws(() => one.within(() => assert.fail('inside')), /inside/);
  assert.equal(here(), before);
  const nested = one.within(() => [here(), two.within(here), here()]);
  assert.equal(nested[0], nested[2]);
  assert.notEqual(nested[0], nested[1]);
  assert.equal(here(), before);
  one.close();
  two.close();
});

test('a socket belongs to the namespace where it was made', () => {
  const host = new LabHost(native, 'one');
  const { fd } = native.openSocket(4, 'udp', host.netns);
  assert(fd !== null);
  host.ip('link set lo up', 'address add 192.0.2.77/32 dev lo');
  assert.equal(native.bind(fd, { address: '192.0.2.77', port: 0 }).errorName, null);
  const own = native.openSocket(4, 'udp').fd ?? -1;
  assert.equal(native.bind(own, { address: '192.0.2.77', port: 0 }).errorName, 'EADDRNOTAVAIL');
  native.close(fd);
  native.close(own);
  host.close();
});
