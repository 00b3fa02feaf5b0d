/** `listen-test --relay`: what one side does the other sees, and nothing is carried in a circle. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { after, describe, test } from 'node:test';
import { endpoint, formatEndpoint } from '../../src/endpoint.ts';
import { CLIENT, GATEWAY, Lab, SERVER, UPLINK } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import { connectFrom, knockFrom } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { ListenTest } from '../support/listen-test.ts';
import { keepReplies, LISTENER_PORT, redirectPort80, routeMarkedLocally } from '../support/rules.ts';
import { heard, listenIn, streamFrom } from '../support/streams.ts';

const native = requireNative();
const RELAY = ['--port', String(LISTENER_PORT), '--relay'];

/** A lab with a redirection, the relay, and a server whose connections the test holds. */
async function relayed(how: 'redirect' | 'tproxy', args: readonly string[] = [], family: 4 | 6 = 4) {
  const lab = new Lab(native, [family]);
  after(() => lab.close());
  redirectPort80(lab.gateway, 'nft', how);
  if (args.includes('--spoof')) {
    keepReplies(lab.gateway);
    if (how !== 'tproxy') routeMarkedLocally(lab.gateway);
  }
  const at = endpoint(SERVER[family], 80);
  const server: Server = listenIn(native, lab.server, at, createServer({ allowHalfOpen: true }));
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const listener = await ListenTest.start(native, lab.gateway, [...RELAY, ...args]);
  const { fd } = connectFrom(native, lab.client, at.address, at.port);
  const client = new Socket({ fd, allowHalfOpen: true }).on('error', () => client.destroy());
  const [origin] = await accepted;
  after(async () => {
    client.destroy();
    origin.destroy();
    server.close();
    await listener.stop();
  });
  return { lab, listener, client, origin, at };
}

for (const how of ['redirect', 'tproxy'] as const) {
  for (const family of [4, 6] as const) {
    for (const spoof of [false, true]) {
      const source = spoof ? CLIENT[family] : UPLINK[family];
      test(`${how}, IPv${family}${spoof ? ', --spoof' : ''}: the server sees ${source}`, async () => {
        const { listener, client, origin } = await relayed(how, spoof ? ['--spoof'] : [], family);
        assert.equal(origin.remoteAddress, source);
        origin.write('greeting');
        await heard(client, 'greeting');
        client.end('thanks');
        await heard(origin, 'thanks');
        origin.end();
        const [closed] = await listener.ended(1);
        assert.equal(closed?.ending, 'closed');
        assert.deepEqual(closed?.upstream, {
          local: { address: source, port: origin.remotePort },
          remote: { address: SERVER[family], port: 80 },
        });
        assert.deepEqual([closed?.received, closed?.sent], [6, 8]);
        assert.equal(await listener.stop('SIGINT'), 130);
        assert.deepEqual(listener.summary.bytes, { received: 6, sent: 8 });
      });
    }
  }
}

describe('what one side does, the other sees', () => {
  test('a client that has ended its side still gets the answer', async () => {
    const { client, origin } = await relayed('redirect');
    client.end('all of it');
    assert.equal(await all(origin), 'all of it');
    origin.write('the ');
    origin.end('answer');
    assert.equal(await all(client), 'the answer');
  });

  test('a server that has ended its side still gets what the client sends', async () => {
    const { client, origin } = await relayed('redirect');
    origin.end('go on');
    assert.equal(await all(client), 'go on');
    client.end('the rest');
    assert.equal(await all(origin), 'the rest');
  });

  test('a client that ends its side at once, without a byte', async () => {
    const { client, origin } = await relayed('redirect');
    client.end();
    assert.equal(await all(origin), '');
    origin.end('nothing was asked');
    assert.equal(await all(client), 'nothing was asked');
  });

  test('a reset by the client', async () => {
    const { client, origin, listener } = await relayed('redirect');
    const failed = once(origin, 'error');
    client.write('x');
    await heard(origin, 'x');
    client.resetAndDestroy();
    const [error] = await failed;
    assert.equal(error.code, 'ECONNRESET');
    assert.equal((await listener.ended(1))[0]?.ending, 'reset');
  });

  test('a reset by the server', async () => {
    const { client, origin, listener } = await relayed('redirect');
    client.write('x');
    await heard(origin, 'x');
    const failed = once(client, 'error');
    origin.resetAndDestroy();
    const [error] = await failed;
    assert.equal(error.code, 'ECONNRESET');
    assert.equal((await listener.ended(1))[0]?.ending, 'reset');
  });

  test('a reset after one side has ended', async () => {
    const { client, origin, listener } = await relayed('redirect');
    client.end('x');
    await all(origin);
    const failed = once(client, 'error');
    client.resume();
    origin.resetAndDestroy();
    const [error] = await failed;
    assert.equal(error.code, 'ECONNRESET');
    assert.equal((await listener.ended(1))[0]?.ending, 'reset');
  });
});

test('a destination that refuses: the client is reset, and the report says so', async () => {
  const lab = new Lab(native, [4]);
  after(() => lab.close());
  redirectPort80(lab.gateway, 'nft', 'redirect');
  const listener = await ListenTest.start(native, lab.gateway, [...RELAY, '--count', '1']);
  after(() => listener.stop());
  const { socket } = streamFrom(native, lab.client, endpoint(SERVER[4], 80));
  after(() => socket.destroy());
  const [error] = await once(socket, 'error');
  assert.equal(error.code, 'ECONNRESET');
  assert.equal(await listener.exit(), 0);
  const [closed] = listener.closed;
  assert.equal(closed?.ending, 'unreachable');
  assert.equal(closed?.detail, 'connect: ECONNREFUSED');
});

/** More than both connections' buffers can take: net.ipv4.tcp_rmem allows 32 MiB each. */
const MEBIBYTE = 1 << 20;
const LARGE = 192;

for (const reader of ['client', 'origin'] as const) {
  test(`back-pressure: nothing piles up for a ${reader} that does not read, and nothing is lost`, async () => {
    const ends = await relayed('redirect');
    let produced = 0;
    const chunks = function* () {
      for (; produced < LARGE; produced++) yield Buffer.alloc(MEBIBYTE, produced);
    };
    Readable.from(chunks()).pipe(ends[reader === 'client' ? 'origin' : 'client']);
    const held = await standstill(() => produced);
    assert(held < LARGE, 'the writer was not held back');
    const resident = residentMebibytes(ends.listener.pid);
    assert(resident < 160, `the relay holds ${resident} MiB`);
    let length = 0;
    for await (const chunk of ends[reader].iterator({ destroyOnReturn: false })) length += chunk.length;
    assert.equal(length, LARGE * MEBIBYTE);
    ends[reader].end();
    const [closed] = await ends.listener.ended(1);
    assert.equal(reader === 'client' ? closed?.sent : closed?.received, LARGE * MEBIBYTE);
  });
}

function residentMebibytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) >> 10;
}

describe('a circle is recognised, and refused', () => {
  test('the relay’s own connection is redirected to it again', async () => {
    const lab = new Lab(native, [4]);
    after(() => lab.close());
    redirectPort80(lab.gateway, 'nft', 'output');
    const listener = await ListenTest.start(native, lab.gateway, RELAY);
    after(() => listener.stop());
    knockFrom(native, lab.gateway, endpoint(SERVER[4], 80));
    const closed = await listener.ended(2);
    const loop = closed.find(({ ending }) => ending === 'loop');
    assert.match(loop?.detail ?? '', /this relay's own connection to 198\.51\.100\.2:80/);
    await listener.stop('SIGINT');
    assert.equal(listener.summary.connections, 2, 'one of the client, one of the relay, and no third');
    assert.equal(listener.summary.loops, 1);
  });

  test('the original destination is the listener under another of its addresses', async () => {
    const lab = new Lab(native, [4]);
    after(() => lab.close());
    const rule = `ip daddr ${UPLINK[4]} tcp dport ${LISTENER_PORT} dnat to ${GATEWAY[4]}`;
    const chain = `chain pre { type nat hook prerouting priority dstnat\n ${rule}\n }`;
    lab.gateway.run('nft', ['-f', '-'], `table ip t {\n ${chain}\n }\n`);
    const listener = await ListenTest.start(native, lab.gateway, RELAY);
    after(() => listener.stop());
    knockFrom(native, lab.client, endpoint(UPLINK[4], LISTENER_PORT));
    const [closed] = await listener.ended(1);
    assert.equal(closed?.ending, 'loop');
    assert.match(
      closed?.detail ?? '',
      new RegExp(`${formatEndpoint(endpoint(UPLINK[4], LISTENER_PORT))}, is this`),
    );
  });

  test('a connection that was addressed to the listener itself is not carried on', async () => {
    const lab = new Lab(native, [4]);
    after(() => lab.close());
    const listener = await ListenTest.start(native, lab.gateway, RELAY);
    after(() => listener.stop());
    knockFrom(native, lab.client, endpoint(GATEWAY[4], LISTENER_PORT));
    assert.equal((await listener.ended(1))[0]?.ending, 'direct');
  });
});

/** Everything up to the end of the other side's data. */
async function all(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) text += String(chunk);
  return text;
}

/** The value of `read` once it has stopped changing. */
async function standstill(read: () => number): Promise<number> {
  let last = Number.NaN;
  let same = 0;
  await eventually(
    () => {
      const now = read();
      same = now === last ? same + 1 : 0;
      last = now;
      return same >= 10;
    },
    () => `a standstill; the last value is ${last}`,
  );
  return last;
}
