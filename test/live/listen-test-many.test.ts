/** Ten thousand connections at once, and not one of them lost. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Lab, SERVER } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import { eventually } from '../support/eventually.ts';
import { ListenTest } from '../support/listen-test.ts';
import { LISTENER_PORT, redirectPort80 } from '../support/rules.ts';

const native = requireNative();
const MANY = 10_000;
/** Fewer than the kernel queues for a listener (net.core.somaxconn): what finds no room comes a second later. */
const WAVE = 2500;
/** net/tcp_states.h */
const ESTABLISHED = 1;

test('10,000 clients connect, and all are held, shown and counted', async () => {
  const lab = new Lab(native, [4]);
  after(() => lab.close());
  redirectPort80(lab.gateway, 'nft', 'redirect');
  const listener = await ListenTest.start(native, lab.gateway, ['--port', String(LISTENER_PORT)]);
  after(() => listener.stop());
  assert((listener.listening?.capacity ?? 0) >= MANY, 'this host allows too few open files: ulimit -Hn');

  const clients: number[] = [];
  const release = () => {
    for (const fd of clients.splice(0)) native.close(fd);
  };
  after(release);
  while (clients.length < MANY) {
    for (let made = 0; made < WAVE; made++) {
      const { fd } = native.openSocket(4, 'tcp', lab.client.netns);
      assert(fd !== null);
      clients.push(fd);
      const { errorName } = native.connect(fd, { address: SERVER[4], port: 80 });
      assert(errorName === null || errorName === 'EINPROGRESS', `connect says ${errorName}`);
    }
    await listener.arrived(clients.length);
  }

  const arrived = await listener.arrived(MANY);
  assert.equal(arrived.length, MANY);
  const peers = new Set(arrived.map(({ flow }) => flow.peer?.port));
  assert.equal(peers.size, MANY);
  assert(arrived.every(({ original }) => original?.address === SERVER[4] && original.port === 80));
  const { sockets } = native.sockets(6, 'tcp', lab.gateway.netns);
  const held = sockets.filter(
    ({ state, local, inode }) => state === ESTABLISHED && local.port === LISTENER_PORT && inode !== 0,
  );
  assert.equal(held.length, MANY, 'held at the same time');

  release();
  await eventually(
    () => listener.closed.length === MANY,
    () => `${MANY} ends; there are ${listener.closed.length}`,
  );
  assert.equal(await listener.stop('SIGINT'), 130);
  assert.equal(listener.summary.connections, MANY);
  assert.equal(listener.summary.dropped, 0);
});

test('where fewer files may be open: the rest is turned away, counted, and the exit code is 3', async () => {
  const lab = new Lab(native, [4]);
  after(() => lab.close());
  redirectPort80(lab.gateway, 'nft', 'redirect');
  const listener = await ListenTest.start(
    native,
    lab.gateway,
    ['--port', String(LISTENER_PORT), '--timeout', '2'],
    {
      files: 128,
    },
  );
  after(() => listener.stop());
  const capacity = listener.listening?.capacity ?? 0;
  assert(capacity > 0 && capacity < 128);
  for (let made = 0; made < capacity + 5; made++) {
    const { fd } = native.openSocket(4, 'tcp', lab.client.netns);
    assert(fd !== null);
    after(() => void native.close(fd));
    native.connect(fd, { address: SERVER[4], port: 80 });
  }
  assert.equal(await listener.exit(), 3);
  assert.equal(listener.summary.connections, capacity);
  assert.equal(listener.summary.dropped, 5);
});
