/**
 * The connection that a plain client opened to A:P is reported as A:P, in every form of asking:
 * REDIRECT, DNAT (prerouting and output) and TPROXY, by nft and by iptables-legacy, over IPv4, IPv6
 * and IPv4 on a dual-stack listener.
 */

import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { formatEndpoint } from '../../src/endpoint.ts';
import { Lab, SERVER } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import type { Endpoint, Family } from '../../src/verdict.ts';
import { lookupJson, origdst } from '../support/cli.ts';
import { connectFrom } from '../support/client.ts';
import { type Listener, startListener } from '../support/listener.ts';
import { LISTENER_PORT, type Redirection, redirectPort80, type Tool } from '../support/rules.ts';

const native = requireNative();

const CLIENTS: { name: string; client: Family; listener: Family }[] = [
  { name: 'IPv4', client: 4, listener: 4 },
  { name: 'IPv6', client: 6, listener: 6 },
  { name: 'IPv4 on a dual-stack listener', client: 4, listener: 6 },
];

for (const tool of ['nft', 'iptables-legacy'] satisfies Tool[]) {
  for (const how of ['redirect', 'dnat', 'output', 'tproxy'] satisfies Redirection[]) {
    for (const { name, client, listener } of CLIENTS) {
      describe(`${how} by ${tool}, ${name}`, () => intercepted(tool, how, client, listener));
    }
  }
}

function intercepted(tool: Tool, how: Redirection, client: Family, listenerFamily: Family): void {
  const lab = new Lab(native);
  const title = `odt-${tool.slice(0, 3)}-${how}${client}${listenerFamily}`;
  let listener: Listener;
  let local: Endpoint;
  let closeClient: () => void;
  const expected = { address: SERVER[client], port: 80 };
  const verdict = how === 'tproxy' ? 'inferred' : 'translated';

  test('a client connects and is intercepted', async () => {
    redirectPort80(lab.gateway, tool, how);
    listener = await startListener(native, lab.gateway, {
      family: listenerFamily,
      port: LISTENER_PORT,
      transparent: how === 'tproxy',
      title,
    });
    const from = how === 'output' ? lab.gateway : lab.client;
    const connected = connectFrom(native, from, expected.address, expected.port);
    local = connected.local;
    closeClient = connected.close;
    await listener.accepted(1);
  });

  after(async () => {
    closeClient?.();
    await listener?.stop();
    lab.close();
  });

  const check = (way: string, args: () => string[], fd?: () => number) =>
    test(way, () => {
      const ran = lookupJson(args(), fd === undefined ? {} : { fd: fd() });
      assert.equal(ran.results.length, 1, ran.stderr);
      const [result] = ran.results;
      assert.deepEqual(result?.original, expected);
      assert.equal(result?.verdict, verdict);
      assert.equal(result?.mechanism, how === 'tproxy' ? 'tproxy4' : 'netfilter');
      assert.deepEqual(result?.flow.peer, { address: local.address, port: local.port });
      assert(result?.evidence.length);
      assert.equal(ran.code, 0);
    });

  check(
    'from the process itself: --fd',
    () => ['--fd', '3'],
    () => takeAccepted(listener.pid),
  );
  check('from another process: --pid --fd', () => [
    '--pid',
    String(listener.pid),
    '--fd',
    String(acceptedFd(listener.pid)),
  ]);
  check('from another process: --pid', () => ['--pid', String(listener.pid)]);
  check('by name: --process', () => ['--process', title]);
  check('from another namespace: --port --netns', () => [
    '--port',
    String(LISTENER_PORT),
    '--netns',
    String(listener.pid),
  ]);

  if (how !== 'tproxy') {
    check('by its addresses, from another namespace: --peer --local --netns', () => [
      ...['--peer', formatEndpoint(local), '--local', localAddress(listener.pid)],
      ...['--netns', lab.gateway.path],
    ]);
  }

  test('inside the namespace: --port', () => {
    const ran = native.inNamespace(lab.gateway.netns, () => lookupJson(['--port', String(LISTENER_PORT)]));
    assert.deepEqual(
      ran.results.map(({ original }) => original),
      [expected],
      ran.stderr,
    );
  });

  test('--quiet prints the address and nothing else', () => {
    const ran = origdst(['lookup', '--quiet', '--pid', String(listener.pid)]);
    assert.equal(ran.stdout, `${formatEndpoint({ ...expected, family: client })}\n`);
    assert.equal(ran.stderr, '');
    assert.equal(ran.code, 0);
  });
}

/** The listener's accepted socket: of its sockets the one that has a peer. */
function acceptedFd(pid: number): number {
  for (const name of readdirSync(`/proc/${pid}/fd`)) {
    if (!readlinkSync(`/proc/${pid}/fd/${name}`).startsWith('socket:')) continue;
    const { fd } = native.takeDescriptor(pid, Number(name));
    if (fd === null) continue;
    const { family, peer } = native.describe(fd);
    native.close(fd);
    if (family !== null && peer !== null) return Number(name);
  }
  throw new Error(`process ${pid} has accepted nothing`);
}

function takeAccepted(pid: number): number {
  const { fd } = native.takeDescriptor(pid, acceptedFd(pid));
  assert(fd !== null);
  after(() => void native.close(fd));
  return fd;
}

/** The local address as a proxy would know it, by getsockname. */
function localAddress(pid: number): string {
  const fd = takeAccepted(pid);
  const { local } = native.describe(fd);
  assert(local !== null);
  return formatEndpoint(local);
}
