/** The library: a proxy asks its own sockets, one or many, and iterates over the table. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  flowEvents,
  flows,
  lookupMany,
  OriginalDestinationError,
  originalDestination,
} from '../../src/index.ts';
import { Lab, SERVER } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import { connectFrom } from '../support/client.ts';
import { ConntrackTable, plainEntry } from '../support/conntrack.ts';
import { eventually } from '../support/eventually.ts';
import { LISTENER_PORT, redirectPort80 } from '../support/rules.ts';

const native = requireNative();
const EXAMPLE = fileURLToPath(new URL('../../examples/transparent-proxy.js', import.meta.url));

/** A proxy of this process in the gateway, and what it accepted. */
async function proxy(lab: Lab): Promise<Socket[]> {
  const { fd } = native.openSocket(6, 'tcp', lab.gateway.netns);
  assert(fd !== null);
  native.bind(fd, { address: '::', port: LISTENER_PORT });
  const accepted: Socket[] = [];
  const server = createServer((socket) => accepted.push(socket)).listen({ fd });
  await once(server, 'listening');
  after(() => {
    for (const socket of accepted) socket.destroy();
    server.close();
  });
  return accepted;
}

test('originalDestination of a socket, and lookupMany of descriptors: IPv4 on a dual-stack socket, and IPv6', async () => {
  const lab = new Lab(native);
  after(() => lab.close());
  redirectPort80(lab.gateway, 'nft', 'redirect');
  const accepted = await proxy(lab);
  for (const family of [4, 6, 6, 4] as const) connectFrom(native, lab.client, SERVER[family], 80);
  await eventually(
    () => accepted.length === 4,
    () => 'four connections',
  );
  const expected = (family: 4 | 6) => ({ address: SERVER[family], port: 80, family });
  const fdOf = (socket: Socket) => (socket as unknown as { _handle: { fd: number } })._handle.fd;
  for (const socket of accepted) {
    const family = socket.remoteAddress?.startsWith('::ffff:') ? 4 : 6;
    assert.deepEqual(originalDestination(socket), expected(family));
    assert.deepEqual(originalDestination(fdOf(socket)), expected(family));
  }
  const file = openSync('/dev/null', 'r');
  after(() => closeSync(file));
  const many = lookupMany(
    Int32Array.from([fdOf(accepted[0] as Socket), file, 99_999, ...accepted.map(fdOf)]),
  );
  assert.equal(many.length, 7);
  assert.deepEqual([many.errorName(1), many.errorName(2)], ['ENOTSOCK', 'EBADF']);
  assert.deepEqual([many.at(1), many.port(2)], [null, 0]);
  assert.deepEqual(
    [many.at(3), many.at(4), many.at(5), many.at(6)],
    accepted.map((socket) => originalDestination(socket)),
  );
  assert.equal(many.port(6), 80);
  assert.equal(many.errorName(6), null);
});

test('what cannot be asked: no entry is null, everything else is an error with its errno', async () => {
  const { fd: plain } = native.openSocket(4, 'tcp');
  const { fd: udp } = native.openSocket(4, 'udp');
  assert(plain !== null && udp !== null);
  assert.equal(originalDestination(plain), null);
  for (const [fd, code] of [
    [99_999, 'EBADF'],
    [udp, 'ENOPROTOOPT'],
  ] as const) {
    assert.throws(
      () => originalDestination(fd),
      (error: unknown) =>
        error instanceof OriginalDestinationError && error.code === code && /descriptor/.test(error.message),
    );
  }
  for (const fd of [plain, udp]) native.close(fd);
  const server = createServer().listen(0);
  await once(server, 'listening');
  const closed = (await import('node:net')).connect((server.address() as { port: number }).port);
  await once(closed, 'connect');
  closed.destroy();
  await once(closed, 'close');
  server.close();
  assert.throws(() => originalDestination(closed), TypeError);
});

test('flows and flowEvents: iterators over what is there, and over what comes and goes', async () => {
  const table = new ConntrackTable(native);
  after(() => table.close());
  table.change('add', 0, 100, 'plain');
  const [found, seen]: [string[], string[]] = [[], []];
  for await (const { original } of flows({ netns: table.path, original: '198.18.0.0/16', port: 8110 })) {
    found.push(`${original.address}:${original.port}`);
  }
  assert.deepEqual(found.sort(), Array.from({ length: 100 }, (_, n) => plainEntry(n).original).sort());
  const ending = new AbortController();
  for await (const news of flowEvents({ netns: table.path, peer: '10.0.0.0/8', signal: ending.signal })) {
    assert(news.event !== 'lost');
    if (seen.push(news.event) === 100) table.change('add', 100, 1, 'plain');
    if (news.event === 'new') table.change('delete', 100, 1, 'plain');
    if (news.event === 'destroyed') ending.abort();
  }
  assert.deepEqual(seen.slice(99), ['present', 'new', 'destroyed']);
  await assert.rejects(flows({ peer: 'x' }).next(), SyntaxError);
});

test('the example proxy carries a redirected connection on, in fewer than 40 lines', async () => {
  assert(readFileSync(EXAMPLE, 'utf8').split('\n').length < 40);
  const lab = new Lab(native);
  after(() => lab.close());
  redirectPort80(lab.gateway, 'nft', 'redirect');
  const child = lab.gateway.within(() => spawn(process.execPath, [EXAMPLE, String(LISTENER_PORT)]));
  after(() => void child.kill());
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  await eventually(
    () => said.includes('listening'),
    () => `the proxy, which said ${said}`,
  );
  const { fd: server } = native.openSocket(4, 'tcp', lab.server.netns);
  assert(server !== null);
  native.bind(server, { address: SERVER[4], port: 80 });
  const origin = createServer((socket) => socket.end('from the origin')).listen({ fd: server });
  await once(origin, 'listening');
  after(() => origin.close());
  const client = connectFrom(native, lab.client, SERVER[4], 80);
  const answer = await eventually(
    () => native.receive(client.fd, 100).bytes?.toString(),
    () => `the answer; the proxy said ${said}`,
  );
  assert.equal(answer, 'from the origin');
  assert.match(said, /-> 198\.51\.100\.2:80/);
  client.close();
});
