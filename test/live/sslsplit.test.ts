/**
 * sslsplit, by its NAT engine `netfilter`: what `lookup` prints about its connections equals its own
 * connect log, over IPv4 and IPv6. In mode `ssl`: for `tcp`, sslsplit 0.5.5 connects to the origin in
 * its main thread and waits for that in another (pxy_conn_setup), and now and then loses the event.
 */

import assert from 'node:assert/strict';
import type { Server } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect, createServer } from 'node:tls';
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

const native = requireNative();
const TARGETS = [endpoint(SERVER[4], 80), endpoint(SERVER[6], 80)];
const GREETING = 'is anybody there?';

for (const tool of ['nft', 'iptables-legacy'] satisfies Tool[]) {
  describe(`sslsplit, REDIRECT by ${tool}`, () => agreesWithSslsplit(tool));
}

function agreesWithSslsplit(tool: Tool): void {
  const lab = new Lab(native);
  const scratch = new Scratch('nobody');
  const origins: Server[] = [];
  const clients: ClientStream[] = [];
  let sslsplit: RunningProxy;
  let logged: Interception[];

  before(async () => {
    redirectPort80(lab.gateway, tool, 'redirect');
    const certificate = makeCertificate(scratch, 'origin');
    for (const at of TARGETS) origins.push(listenIn(native, lab.server, at, echo(certificate)));
    const authority = makeCertificate(scratch, 'authority');
    sslsplit = new RunningProxy(native, lab.gateway, {
      program: 'sslsplit',
      args: options(authority, scratch),
      port: LISTENER_PORT,
      listeners: TARGETS.length,
    });
    await sslsplit.up(native);
    for (const to of TARGETS) {
      const client = streamFrom(native, lab.client, to);
      clients.push(client);
      await talk(client, authority);
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
function options(authority: Certificate, scratch: Scratch): string[] {
  const listeners = [GATEWAY[4], GATEWAY[6]].flatMap((at) => ['ssl', at, String(LISTENER_PORT), 'netfilter']);
  return ['-k', authority.keyFile, '-c', authority.certFile, '-l', scratch.file('connect.log'), ...listeners];
}

/** An origin that says back what it hears, and keeps the connection. */
function echo(certificate: Certificate): Server {
  return createServer(certificate, (socket) => {
    // A proxy that is killed resets its connections; that is no news to a test that is over.
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
}

/** The client trusts the proxy's authority alone: that it is answered proves that sslsplit is in between. */
async function talk({ socket }: ClientStream, authority: Certificate): Promise<void> {
  const secure = connect({ socket, ca: authority.cert, servername: 'origin' });
  secure.on('error', () => secure.destroy());
  secure.write(GREETING);
  await heard(secure, GREETING);
}

/** `2026-11-22 06:29:21 UTC ssl 192.0.2.2 35506 198.51.100.2 80 …` */
function fromLog(line: string): Interception {
  const [, , , , from = '', fromPort = '', to = '', toPort = ''] = line.split(' ');
  return interception(from, fromPort, to, toPort);
}
