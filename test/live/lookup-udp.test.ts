/** UDP: the control message shows the address after NAT, so connection tracking is asked. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { formatEndpoint } from '../../src/endpoint.ts';
import { GATEWAY, Lab, SERVER } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import type { Family } from '../../src/verdict.ts';
import { lookupJson } from '../support/cli.ts';

const native = requireNative();
const REDIRECT =
  'table inet t {\n chain pre {\n type nat hook prerouting priority dstnat; udp dport 53 redirect to :8153\n }\n}\n';
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;

for (const family of [4, 6] as Family[]) {
  test(`a redirected IPv${family} datagram, by port, by addresses and by a connected socket`, () => {
    const lab = new Lab(native);
    after(() => lab.close());
    lab.gateway.run('nft', ['-f', '-'], REDIRECT);
    const any = family === 4 ? '0.0.0.0' : '::';
    const bound = (address: string) => {
      const { fd } = native.openSocket(family, 'udp', lab.gateway.netns);
      assert(fd !== null);
      after(() => void native.close(fd));
      native.setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
      assert.equal(native.bind(fd, { address, port: 8153 }).errorName, null);
      return fd;
    };
    const listener = bound(any);
    const { fd: client } = native.openSocket(family, 'udp', lab.client.netns);
    assert(client !== null);
    after(() => void native.close(client));
    native.send(client, Buffer.from('question'), { address: SERVER[family], port: 53 });
    assert.deepEqual(native.poll([listener], 'read', 5000), [listener]);
    const { from, bytes } = native.receive(listener, 100);
    assert.equal(bytes?.toString(), 'question');
    assert(from !== null);

    const expected = { address: SERVER[family], port: 53 };
    const byPort = lookupJson(['--protocol', 'udp', '--port', '8153', '--netns', lab.gateway.path]);
    assert.deepEqual(
      byPort.results.map(({ original, verdict }) => ({ original, verdict })),
      [{ original: expected, verdict: 'translated' }],
      byPort.stderr,
    );
    assert.equal(byPort.code, 0);

    const local = { address: GATEWAY[family], port: 8153, family };
    const byTuple = lookupJson([
      '--protocol',
      'udp',
      '--peer',
      formatEndpoint(from),
      '--local',
      formatEndpoint(local),
      '--netns',
      lab.gateway.path,
    ]);
    assert.deepEqual(byTuple.results[0]?.original, expected, byTuple.stderr);

    const connected = bound(GATEWAY[family]);
    native.connect(connected, from);
    const byFd = lookupJson(['--fd', '3'], { fd: connected });
    assert.deepEqual(byFd.results[0]?.original, expected, byFd.stderr);
    assert.equal(byFd.results[0]?.verdict, 'translated');

    const forbidden = lookupJson(['--fd', '3'], { fd: connected, uid: 65534 });
    assert.equal(forbidden.results[0]?.verdict, 'denied');
    assert.equal(forbidden.code, 5);

    const unconnected = lookupJson(['--fd', '3'], { fd: listener });
    assert.equal(unconnected.code, 2);
    assert.match(unconnected.stderr, /not connected/);
  });
}
