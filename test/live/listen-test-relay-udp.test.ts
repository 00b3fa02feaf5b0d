/** `listen-test --relay` over UDP: questions go on to where they were meant to go, answers come from there. */

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { CLIENT, GATEWAY, Lab, SERVER, UPLINK } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import type { Endpoint, Family } from '../../src/verdict.ts';
import { eventually } from '../support/eventually.ts';
import { ListenTest } from '../support/listen-test.ts';
import { keepReplies, LISTENER_PORT, routeMarkedLocally } from '../support/rules.ts';

const native = requireNative();
const RULES = {
  redirect: 'type nat hook prerouting priority dstnat; udp dport 53 redirect to :8110',
  tproxy: 'type filter hook prerouting priority mangle; udp dport 53 tproxy to :8110 meta mark set 1 accept',
  output: 'type nat hook output priority -100; udp dport 53 redirect to :8110',
};
const RELAY = ['--port', String(LISTENER_PORT), '--protocol', 'udp', '--relay'];

function labWith(rule: keyof typeof RULES): Lab {
  const lab = new Lab(native);
  after(() => lab.close());
  keepReplies(lab.gateway);
  routeMarkedLocally(lab.gateway);
  lab.gateway.run('nft', ['-f', '-'], `table inet t { chain c { ${RULES[rule]}; }; }\n`);
  return lab;
}

/** A datagram socket in a namespace, bound or connected. */
function datagramSocket(netns: number, family: Family, call: 'bind' | 'connect', at: Endpoint): number {
  const { fd } = native.openSocket(family, 'udp', netns);
  assert(fd !== null);
  after(() => void native.close(fd));
  assert.equal(native[call](fd, at).errorName, null);
  return fd;
}

function received(fd: number): { text: string | undefined; from: Endpoint | null } {
  assert.deepEqual(native.poll([fd], 'read', 5000), [fd], 'no datagram');
  const { bytes, from } = native.receive(fd, 2000);
  return { text: bytes?.toString(), from };
}

for (const rule of ['redirect', 'tproxy'] as const) {
  for (const family of [4, 6] satisfies Family[]) {
    for (const spoof of [false, true]) {
      const source = spoof ? CLIENT[family] : UPLINK[family];
      test(`${rule}, IPv${family}${spoof ? ', --spoof' : ''}: the server is asked by ${source}`, async () => {
        const lab = labWith(rule);
        const listener = await ListenTest.start(native, lab.gateway, [
          ...RELAY,
          ...(spoof ? ['--spoof'] : []),
        ]);
        after(() => listener.stop());
        const at: Endpoint = { address: SERVER[family], port: 53, family };
        const server = datagramSocket(lab.server.netns, family, 'bind', at);
        const client = datagramSocket(lab.client.netns, family, 'connect', at);
        for (const word of ['one', 'two']) {
          native.send(client, Buffer.from(word));
          const question = received(server);
          assert.deepEqual([question.text, question.from?.address], [word, source]);
          assert(question.from !== null);
          native.send(server, Buffer.from(word.toUpperCase()), question.from);
          assert.equal(received(client).text, word.toUpperCase());
        }
        assert.equal(await listener.stop('SIGINT'), 130);
        assert.equal(listener.summary.connections, 1);
        assert.deepEqual(listener.summary.bytes, { received: 6, sent: 6 });
        const [closed] = listener.closed;
        assert.equal(closed?.upstream?.local?.address, source);
        assert.deepEqual(closed?.upstream?.remote, { address: SERVER[family], port: 53 });
      });
    }
  }
}

describe('what cannot be carried on', () => {
  test('a server that refuses is reported', async () => {
    const lab = labWith('redirect');
    const listener = await ListenTest.start(native, lab.gateway, RELAY);
    after(() => listener.stop());
    const at: Endpoint = { address: SERVER[4], port: 53, family: 4 };
    native.send(datagramSocket(lab.client.netns, 4, 'connect', at), Buffer.from('x'));
    const [closed] = await listener.ended(1);
    assert.equal(closed?.ending, 'unreachable');
    assert.match(closed?.detail ?? '', /ECONNREFUSED/);
  });

  test('the relay’s own datagram, redirected again: no third flow', async () => {
    const lab = labWith('output');
    const listener = await ListenTest.start(native, lab.gateway, RELAY);
    after(() => listener.stop());
    const at: Endpoint = { address: SERVER[4], port: 53, family: 4 };
    native.send(datagramSocket(lab.gateway.netns, 4, 'connect', at), Buffer.from('x'));
    const loop = await eventually(
      () => listener.closed.find(({ ending }) => ending === 'loop'),
      () => 'the circle',
    );
    assert.match(loop.detail ?? '', /this relay's own connection to 198\.51\.100\.2:53/);
    await listener.stop('SIGINT');
    assert.equal(listener.summary.connections, 2);
  });

  test('a datagram for the listener itself', async () => {
    const lab = labWith('redirect');
    const listener = await ListenTest.start(native, lab.gateway, RELAY);
    after(() => listener.stop());
    const at: Endpoint = { address: GATEWAY[4], port: LISTENER_PORT, family: 4 };
    native.send(datagramSocket(lab.client.netns, 4, 'connect', at), Buffer.from('x'));
    assert.equal((await listener.ended(1))[0]?.ending, 'direct');
  });
});
