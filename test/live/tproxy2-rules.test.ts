/**
 * The rules of the TPROXY 2 patch as its source has them (ip_tproxy.c, 2.0.6), asked of the emulation call by call.
 * Nobody has run the patch for this project: what holds here is that emulation and source agree.
 */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { LabHost } from '../../src/lab/host.ts';
import { requireNative } from '../../src/native.ts';
import { Asker } from '../emulation/asker.ts';
import { Emulation, TPROXY_VERSION } from '../emulation/emulation.ts';

const native = requireNative();
const SOL_IP = 0;
const IP_TPROXY = 11274;
const [VERSION, ASSIGN, UNASSIGN, QUERY, FLAGS, ALLOC, CONNECT] = [0, 1, 2, 3, 4, 5, 6] as const;
const [ITP_CONNECT, ITP_LISTEN, ITP_ESTABLISHED, ITP_ONCE, ITP_MARK] = [1, 2, 4, 0x10000, 0x20000] as const;
const FOREIGN = '192.0.2.2';
const TCP = '2 1 0';
const UDP = '2 2 0';

/** struct in_tproxy of a little-endian host: operation and value in host order, an address in network order. */
function word(operation: number, value: number): string {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32LE(operation, 0);
  bytes.writeUInt32LE(value, 4);
  return bytes.toString('hex');
}

function place(operation: number, address: string, port: number): string {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32LE(operation, 0);
  bytes.set(address.split('.').map(Number), 4);
  bytes.writeUInt16BE(port, 8);
  return bytes.toString('hex');
}

describe('IP_TPROXY', () => {
  let emulation: Emulation;
  let host: LabHost;
  let asker: Asker;
  beforeEach(async () => {
    // A new one for each test: what is not taken back stays in the patch's tables for ever.
    emulation = await Emulation.start();
    await emulation.set('tproxy2', TPROXY_VERSION);
    host = new LabHost(native, 'host');
    host.ip('link set lo up');
    asker = new Asker(emulation);
    await asker.enter(host);
  });
  afterEach(async () => {
    await asker.stop();
    host.close();
    await emulation.stop();
  });

  const set = async (socket: number, hex: string) => (await asker.set(socket, SOL_IP, IP_TPROXY, hex)).error;
  /** The value that the option gives for an operation, as a number of the host. */
  const get = async (socket: number, operation: number): Promise<number | string | null> => {
    const { error, out } = await ask(socket, operation);
    return error ?? Buffer.from(out, 'hex').readUInt32LE(4);
  };
  const query = async (socket: number): Promise<string | null> => {
    const { error, out } = await ask(socket, QUERY);
    const bytes = Buffer.from(out, 'hex');
    return error ?? `${[...bytes.subarray(4, 8)].join('.')}:${bytes.readUInt16BE(8)}`;
  };
  const ask = async (socket: number, operation: number) => {
    const { error, out = '' } = await asker.fill(socket, SOL_IP, IP_TPROXY, word(operation, 0));
    return { error, out };
  };
  const bound = async (kind: string, port: number, { share = false } = {}): Promise<number> => {
    const socket = await asker.make('socket', kind);
    if (share) await asker.must(`share ${socket}`);
    await asker.must(`bind ${socket} 127.0.0.1 ${port}`);
    return socket;
  };

  test('VERSION: set asks whether it is understood, get tells it', async () => {
    const socket = await asker.make('socket', TCP);
    for (const [version, error] of [
      [0x02000000, null],
      [0x02000009, null],
      [0x02010000, 'EINVAL'],
      [0x03000000, 'EINVAL'],
      [0x01000000, 'EINVAL'],
    ] as const) {
      assert.equal(await set(socket, word(VERSION, version)), error, version.toString(16));
    }
    assert.equal(await get(socket, VERSION), TPROXY_VERSION);
  });

  test('TCP and UDP over IPv4 only; at least 8 bytes; known operations only; a good pointer', async () => {
    for (const [kind, error] of [
      [TCP, null],
      [UDP, null],
      ['10 1 0', 'EINVAL'],
      ['10 2 0', 'EINVAL'],
      ['2 3 1', 'EINVAL'],
    ] as const) {
      const socket = await asker.make('socket', kind);
      assert.equal(await set(socket, word(VERSION, 0x02000000)), error, kind);
    }
    const socket = await asker.make('socket', TCP);
    assert.equal(await set(socket, word(VERSION, 0x02000000).slice(0, 14)), 'EINVAL');
    assert.equal((await asker.get(socket, SOL_IP, IP_TPROXY, 7)).error, 'EINVAL');
    assert.equal(await set(socket, word(7, 0)), 'ENOPROTOOPT');
    assert.equal(await set(socket, word(QUERY, 0)), 'ENOPROTOOPT', 'QUERY is for get');
    assert.equal(await get(socket, ASSIGN), 'ENOPROTOOPT', 'ASSIGN is for set');
    assert.equal((await asker.get(socket, SOL_IP, IP_TPROXY, 12, 'value')).error, 'EFAULT');
    assert.equal((await asker.get(socket, SOL_IP, IP_TPROXY, 12, 'length')).error, 'EFAULT');
  });

  test('ASSIGN: bound to an address and a port first, and not connected', async () => {
    const socket = await asker.make('socket', TCP);
    assert.equal(await set(socket, place(ASSIGN, FOREIGN, 0)), 'EINVAL', 'not bound');
    const wild = await asker.make('socket', TCP);
    await asker.must(`bind ${wild} 0.0.0.0 4001`);
    assert.equal(await set(wild, place(ASSIGN, FOREIGN, 0)), 'EINVAL', 'bound to no address');
    const connected = await bound(UDP, 4002);
    await asker.must(`connect ${connected} 127.0.0.1 9`);
    assert.equal(await set(connected, place(ASSIGN, FOREIGN, 0)), null, 'SS_UNCONNECTED is a stream’s state');
    const listener = await bound(TCP, 4003);
    await asker.must(`listen ${listener}`);
    const client = await bound(TCP, 4004);
    await asker.must(`connect ${client} 127.0.0.1 4003`);
    assert.equal(await set(client, place(ASSIGN, FOREIGN, 0)), 'EINVAL', 'connected');
    assert.equal(await set(listener, place(ASSIGN, FOREIGN, 0)), null);
  });

  test('ASSIGN takes CAP_NET_ADMIN, and that is asked first', async () => {
    const user = new Asker(emulation, ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']);
    const socket = await user.make('socket', TCP);
    const assigned = await user.set(socket, SOL_IP, IP_TPROXY, place(ASSIGN, FOREIGN, 0));
    const version = await user.set(socket, SOL_IP, IP_TPROXY, word(VERSION, 0x02000000));
    await user.stop();
    assert.deepEqual([assigned.error, version.error], ['EPERM', null]);
  });

  test('without an assignment there is nothing to change or to ask', async () => {
    const socket = await bound(TCP, 4001);
    for (const hex of [
      word(UNASSIGN, 0),
      word(FLAGS, ITP_CONNECT),
      word(ALLOC, 0),
      place(CONNECT, '198.51.100.2', 80),
    ]) {
      assert.equal(await set(socket, hex), 'ENOENT', hex);
    }
    assert.equal(await query(socket), 'ENOENT');
    assert.equal(await get(socket, FLAGS), 'ENOENT');
  });

  test('to connect: ASSIGN, CONNECT, FLAGS; QUERY tells the foreign address', async () => {
    const socket = await bound(TCP, 4001);
    assert.equal(await set(socket, place(ASSIGN, FOREIGN, 0)), null);
    assert.equal(await query(socket), `${FOREIGN}:0`);
    assert.equal(await get(socket, FLAGS), 0);
    assert.equal(await set(socket, word(FLAGS, ITP_ESTABLISHED)), 'EINVAL', 'no remote end yet');
    assert.equal(await set(socket, place(CONNECT, '198.51.100.2', 80)), null);
    assert.equal(await set(socket, word(FLAGS, ITP_CONNECT | ITP_ONCE)), null);
    assert.equal(await get(socket, FLAGS), ITP_CONNECT | ITP_ONCE);
    assert.equal(await set(socket, word(FLAGS, ITP_ESTABLISHED)), null);
    assert.equal(await get(socket, FLAGS), ITP_ESTABLISHED);
  });

  test('assigned once; a second socket may share the foreign port only to connect', async () => {
    const first = await bound(TCP, 4001);
    assert.equal(await set(first, place(ASSIGN, FOREIGN, 80)), null);
    assert.equal(await set(first, place(ASSIGN, FOREIGN, 81)), 'EEXIST');
    const second = await bound(TCP, 4002);
    assert.equal(await set(second, place(ASSIGN, FOREIGN, 80)), 'EADDRINUSE');
    const third = await bound(TCP, 4003, { share: true });
    assert.equal(await set(third, place(ASSIGN, FOREIGN, 80)), null);
    assert.equal(await set(third, word(FLAGS, ITP_LISTEN)), 'EINVAL', 'to connect only');
    assert.equal(await set(third, word(FLAGS, ITP_CONNECT)), null);
    const other = await bound(UDP, 4002);
    assert.equal(await set(other, place(ASSIGN, FOREIGN, 80)), null, 'another protocol');
    assert.equal(await set(first, word(FLAGS, ITP_LISTEN)), null);
    assert.equal(await get(first, FLAGS), ITP_LISTEN);
    await asker.must(`close ${third}`);
  });

  test('ALLOC: a foreign port of its own, once', async () => {
    const socket = await bound(TCP, 4001);
    await set(socket, place(ASSIGN, FOREIGN, 0));
    assert.equal(await set(socket, word(ALLOC, 0)), null);
    assert.match((await query(socket)) ?? '', /^192\.0\.2\.2:4\d{4}$/);
    assert.equal(await set(socket, word(ALLOC, 0)), 'EINVAL');
  });

  test('to nowhere: marked, and left alone', async () => {
    const socket = await bound(UDP, 4001);
    assert.equal(await set(socket, place(ASSIGN, '0.0.0.0', 0)), null);
    assert.equal(await set(socket, place(ASSIGN, '0.0.0.0', 0)), null, 'may be shared');
    assert.equal(await set(socket, word(FLAGS, ITP_CONNECT)), null);
    assert.equal(await get(socket, FLAGS), ITP_MARK);
    assert.equal(await query(socket), '127.0.0.1:4001');
  });

  test('close is UNASSIGN; a TCP socket without flags keeps its assignment for ever', async () => {
    for (const release of ['UNASSIGN', 'close'] as const) {
      const port = release === 'close' ? 4011 : 4010;
      const free = async (socket: number) => {
        if (release === 'UNASSIGN') assert.equal(await set(socket, word(UNASSIGN, 0)), null);
        await asker.must(`close ${socket}`);
      };
      const connecting = await bound(TCP, port);
      await set(connecting, place(ASSIGN, FOREIGN, port));
      await set(connecting, word(FLAGS, ITP_CONNECT));
      await free(connecting);
      const again = await bound(TCP, port);
      assert.equal(await set(again, place(ASSIGN, FOREIGN, port)), null, `${release} took it back`);
      await free(again);
      const third = await bound(TCP, port);
      assert.equal(await set(third, place(ASSIGN, FOREIGN, port)), 'EEXIST', 'a probe must not assign');
      await asker.must(`close ${third}`);
    }
  });
});
