/**
 * sslsplit, by its NAT engine `netfilter`: what `lookup` prints about its connections equals its own
 * connect log, over IPv4 and IPv6, relaying plain bytes (`tcp`) and in the middle of TLS (`ssl`).
 */

import assert from 'node:assert/strict';
import { createServer as createTcpServer, type Server } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect, createServer as createTlsServer } from 'node:tls';
import { endpoint } from '../../src/endpoint.ts';
import { GATEWAY, Lab, SERVER } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import { type Certificate, makeCertificate } from '../support/certificate.ts';
import { eventually } from '../support/eventually.ts';
import { type Interception, inOrder, interception, lookedUp, WAYS, wanted } from '../support/interception.ts';
import { processesIn, RunningProxy } from '../support/proxy.ts';
import { LISTENER_PORT, redirectPort80, type Tool } from '../support/rules.ts';
import { Scratch } from '../support/scratch.ts';
import { type ClientStream, heard, listenIn, streamFrom } from '../support/streams.ts';

type Mode = 'tcp' | 'ssl';

const native = requireNative();
const TARGETS = [endpoint(SERVER[4], 80), endpoint(SERVER[6], 80)];
const GREETING = 'from the origin';

for (const mode of ['tcp', 'ssl'] satisfies Mode[]) {
  for (const tool of ['nft', 'iptables-legacy'] satisfies Tool[]) {
    describe(`sslsplit, ${mode}, REDIRECT by ${tool}`, () => agreesWithSslsplit(mode, tool));
  }
}

function agreesWithSslsplit(mode: Mode, tool: Tool): void {
  const lab = new Lab(native);
  const scratch = new Scratch('nobody');
  const origins: Server[] = [];
  const clients: ClientStream[] = [];
  let sslsplit: RunningProxy;
  let logged: Interception[];

  before(async () => {
    redirectPort80(lab.gateway, tool, 'redirect');
    for (const at of TARGETS) origins.push(listenIn(native, lab.server, at, greeter(mode, scratch)));
    const authority = makeCertificate(scratch, 'authority');
    sslsplit = new RunningProxy(native, lab.gateway, {
      program: 'sslsplit',
      args: options(mode, authority, scratch),
      port: LISTENER_PORT,
    });
    await sslsplit.up(native);
    for (const to of TARGETS) {
      const client = streamFrom(native, lab.client, to);
      clients.push(client);
      await greeted(mode, client, authority);
    }
    const log = () => scratch.lines('connect.log');
    await eventually(
      () => log().length >= clients.length,
      () => `sslsplit's log: ${log().join('\n')}`,
    );
    logged = inOrder(log().map(fromLog));
  });

  after(async () => {
    for (const { socket } of clients) socket.destroy();
    for (const origin of origins) origin.close();
    await sslsplit?.stop();
    scratch.remove();
    lab.close();
  });

  test('sslsplit logged where its clients wanted to go', () => {
    assert.deepEqual(logged, wanted(clients));
  });

  for (const [way, args] of Object.entries(WAYS)) {
    test(`lookup agrees with sslsplit, ${way}`, () => {
      assert.deepEqual(lookedUp(sslsplit, args(sslsplit), 'translated'), logged);
    });
  }

  test('nothing of sslsplit stays behind', async () => {
    assert.equal(sslsplit.pids.length, 2, 'the privileged parent and its child were running');
    await sslsplit.stop();
    assert.deepEqual(processesIn(lab.gateway), []);
  });
}

/** A listener for each address: sslsplit's IPv6 sockets are dual-stack, so two of `any` would clash. */
function options(mode: Mode, authority: Certificate, scratch: Scratch): string[] {
  const listeners = [GATEWAY[4], GATEWAY[6]].flatMap((address) => [
    mode,
    address,
    String(LISTENER_PORT),
    'netfilter',
  ]);
  return ['-k', authority.keyFile, '-c', authority.certFile, '-l', scratch.file('connect.log'), ...listeners];
}

/** The origin speaks first and keeps the connection. */
function greeter(mode: Mode, scratch: Scratch): Server {
  const greet = (socket: NodeJS.WritableStream) => {
    // A proxy that is killed resets its connections; that is no news to a test that is over.
    socket.on('error', () => {});
    socket.write(GREETING);
  };
  return mode === 'tcp' ? createTcpServer(greet) : createTlsServer(makeCertificate(scratch, 'origin'), greet);
}

/** Over TLS the client trusts the proxy's authority alone: being greeted proves that sslsplit is in between. */
async function greeted(mode: Mode, { socket }: ClientStream, authority: Certificate): Promise<void> {
  if (mode === 'tcp') {
    await heard(socket, GREETING);
    return;
  }
  const secure = connect({ socket, ca: authority.cert, servername: 'origin' });
  secure.on('error', () => secure.destroy());
  await heard(secure, GREETING);
}

/** `2026-11-22 06:29:21 UTC tcp 192.0.2.2 35506 198.51.100.2 80 …` */
function fromLog(line: string): Interception {
  const [, , , , from = '', fromPort = '', to = '', toPort = ''] = line.split(' ');
  return interception(from, fromPort, to, toPort);
}
