/**
 * Every way of redirecting, over IPv4, IPv6 and IPv4 on a dual-stack listener, TCP and UDP: the line
 * that listen-test prints says where the client meant to go, and which mechanism brought it.
 */

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Lab, SERVER } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import type { Family } from '../../src/verdict.ts';
import { connectFrom } from '../support/client.ts';
import { ListenTest } from '../support/listen-test.ts';
import {
  DIRECT,
  LISTENER_PORT,
  type Redirection,
  redirectPort80,
  routeMarkedLocally,
} from '../support/rules.ts';

const native = requireNative();
const PORT = String(LISTENER_PORT);

/** An IPv4 client meets a dual-stack listener unless an IPv4 address is named. */
const CLIENTS: { name: string; client: Family; args: string[] }[] = [
  { name: 'IPv4', client: 4, args: ['--address', '0.0.0.0'] },
  { name: 'IPv6', client: 6, args: [] },
  { name: 'IPv4 on a dual-stack listener', client: 4, args: [] },
];

for (const how of ['redirect', 'dnat', 'output', 'tproxy'] satisfies Redirection[]) {
  for (const { name, client, args } of CLIENTS) {
    test(`TCP, ${how}, ${name}`, async () => {
      const lab = new Lab(native);
      after(() => lab.close());
      redirectPort80(lab.gateway, 'nft', how);
      const listener = await ListenTest.start(native, lab.gateway, ['--port', PORT, '--count', '1', ...args]);
      after(() => listener.stop());
      const from = how === 'output' ? lab.gateway : lab.client;
      const connected = connectFrom(native, from, SERVER[client], 80);
      const [arrival] = await listener.arrived(1);
      assert.deepEqual(arrival?.original, { address: SERVER[client], port: 80 });
      assert.deepEqual(arrival?.flow.peer, { address: connected.local.address, port: connected.local.port });
      assert.equal(arrival?.mechanism, how === 'tproxy' ? 'tproxy4' : 'netfilter');
      assert.equal(arrival?.verdict, how === 'tproxy' ? 'inferred' : 'translated');
      assert.equal(arrival?.intercepted, true);
      assert(arrival?.evidence.length);
      assert.equal(await listener.exit(), 0);
      assert.equal(listener.summary.intercepted, 1);
      connected.close();
    });
  }
}

for (const family of [4, 6] as const) {
  test(`TCP over IPv${family} that nothing redirects is direct, whatever the listener could have got`, async () => {
    const lab = new Lab(native);
    after(() => lab.close());
    redirectPort80(lab.gateway, 'nft', 'tproxy');
    const listener = await ListenTest.start(native, lab.gateway, ['--port', PORT, '--count', '1']);
    after(() => listener.stop());
    const connected = connectFrom(native, lab.client, DIRECT[family], LISTENER_PORT);
    const [arrival] = await listener.arrived(1);
    assert.equal(arrival?.original, null);
    assert.equal(arrival?.intercepted, false);
    assert.equal(await listener.exit(), 3);
    assert.equal(listener.summary.direct, 1);
    connected.close();
  });

  test(`TPROXY to this host’s own IPv${family} address is told from a direct connection by the port`, async () => {
    const lab = new Lab(native);
    after(() => lab.close());
    redirectPort80(lab.gateway, 'nft', 'tproxy');
    const listener = await ListenTest.start(native, lab.gateway, ['--port', PORT, '--count', '1']);
    after(() => listener.stop());
    const connected = connectFrom(native, lab.client, DIRECT[family], 80);
    const [arrival] = await listener.arrived(1);
    assert.deepEqual(arrival?.original, { address: DIRECT[family], port: 80 });
    assert.equal(arrival?.reason, 'foreign-local-port');
    assert.equal(arrival?.mechanism, 'tproxy4');
    assert.equal(await listener.exit(), 0);
    connected.close();
  });
}

const UDP_RULES = {
  redirect: 'type nat hook prerouting priority dstnat; udp dport 53 redirect to :8110',
  dnat: `type nat hook prerouting priority dstnat
    udp dport 53 dnat ip to 198.51.100.1:8110
    udp dport 53 dnat ip6 to [2001:db8:2::1]:8110`,
  tproxy: 'type filter hook prerouting priority mangle; udp dport 53 tproxy to :8110 meta mark set 1 accept',
};

for (const how of ['redirect', 'dnat', 'tproxy'] as const) {
  for (const { name, client: family, args } of CLIENTS) {
    describe(`UDP, ${how}, ${name}`, () => {
      const lab = new Lab(native);
      after(() => lab.close());
      lab.gateway.run('nft', ['-f', '-'], `table inet t {\n chain pre {\n ${UDP_RULES[how]}\n }\n}\n`);
      if (how === 'tproxy') routeMarkedLocally(lab.gateway);

      test('two datagrams of one client are one flow, and each is answered by the address it was sent to', async () => {
        const listener = await ListenTest.start(native, lab.gateway, [
          ...['--port', PORT, '--protocol', 'udp', '--reply', 'answer', ...args],
        ]);
        after(() => listener.stop());
        const { fd } = native.openSocket(family, 'udp', lab.client.netns);
        assert(fd !== null);
        after(() => void native.close(fd));
        const to = { address: SERVER[family], port: 53 };
        // Connected: an answer from any other address would not reach it.
        native.connect(fd, to);
        for (const question of ['one', 'second']) {
          native.send(fd, Buffer.from(question));
          await answered(fd);
        }
        const [arrival] = await listener.arrived(1);
        assert.deepEqual(arrival?.original, to);
        assert.equal(arrival?.mechanism, how === 'tproxy' ? 'tproxy4' : 'netfilter');
        assert.equal(arrival?.verdict, how === 'tproxy' ? 'inferred' : 'translated');
        assert.equal(await listener.stop('SIGINT'), 130);
        const { connections, bytes } = listener.summary;
        assert.deepEqual({ connections, bytes }, { connections: 1, bytes: { received: 9, sent: 12 } });
      });
    });
  }
}

async function answered(fd: number): Promise<void> {
  assert.deepEqual(native.poll([fd], 'read', 5000), [fd], 'no answer');
  assert.equal(native.receive(fd, 100).bytes?.toString(), 'answer');
}
