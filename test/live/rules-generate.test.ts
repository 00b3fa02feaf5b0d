/** What `rules generate` prints, run by a shell inside a lab: it works, and its other half takes all of it back. */

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { endpoint } from '../../src/endpoint.ts';
import { Lab, SERVER } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import type { Family } from '../../src/verdict.ts';
import { RUN } from '../support/cli.ts';
import { ListenTest } from '../support/listen-test.ts';
import { streamFrom } from '../support/streams.ts';

const native = requireNative();

interface Case {
  mechanism: 'netfilter' | 'tproxy4';
  tool: 'nft' | 'iptables';
  to?: string;
  families: Family[];
}

const CASES: Case[] = [
  { mechanism: 'netfilter', tool: 'nft', families: [4, 6] },
  { mechanism: 'netfilter', tool: 'nft', to: '127.0.0.1:8110', families: [4] },
  { mechanism: 'netfilter', tool: 'iptables', families: [4, 6] },
  { mechanism: 'netfilter', tool: 'iptables', to: '[2001:db8:1::1]:8110', families: [6] },
  { mechanism: 'tproxy4', tool: 'nft', families: [4, 6] },
  { mechanism: 'tproxy4', tool: 'iptables', families: [4, 6] },
  { mechanism: 'tproxy4', tool: 'nft', to: '192.0.2.1:8110', families: [4] },
];

for (const { mechanism, tool, to = '8110', families } of CASES) {
  describe(`${mechanism} by ${tool}, to ${to}`, () => {
    const lab = new Lab(native);
    after(() => lab.close());
    const { gateway } = lab;
    // As WireGuard sets it: with it, TPROXY gets nothing.
    gateway.sysctl('net.ipv4.conf.all.src_valid_mark', 1);
    const args = [
      'rules',
      'generate',
      '--mechanism',
      mechanism,
      '--tool',
      tool,
      '--port',
      '80',
      '--port',
      '110',
      '--to',
      to,
      '--interface',
      'inside',
    ];
    const script = (...more: string[]) => gateway.run(process.execPath, [RUN, ...args, ...more]);
    const before = state();
    const undo = script('--undo');

    function state(): string[] {
      return [
        gateway.run('ip', ['rule']),
        gateway.run('ip', ['-6', 'rule']),
        gateway.run('ip', ['route', 'show', 'table', 'all']),
        gateway.run('ip', ['-6', 'route', 'show', 'table', 'all']),
        gateway.run('sysctl', ['net.ipv4.conf.all.src_valid_mark', 'net.ipv4.conf.inside.src_valid_mark']),
        gateway.run('sysctl', ['net.ipv4.conf.inside.route_localnet']),
      ];
    }

    test('connections are intercepted', async () => {
      gateway.run('sh', ['-c', script()]);
      for (const family of families) {
        const option = mechanism === 'tproxy4' ? ['--mechanism', 'tproxy4'] : [];
        const listener = await ListenTest.start(native, gateway, [
          '--port',
          '8110',
          '--count',
          '2',
          ...option,
        ]);
        after(() => listener.stop());
        for (const port of [80, 110]) {
          const { socket } = streamFrom(native, lab.client, endpoint(SERVER[family], port));
          after(() => socket.destroy());
        }
        const arrived = await listener.arrived(2);
        const originals = arrived.map(({ original }) => original);
        assert.deepEqual(
          originals.toSorted((a, b) => (a?.port ?? 0) - (b?.port ?? 0)),
          [
            { address: SERVER[family], port: 80 },
            { address: SERVER[family], port: 110 },
          ],
        );
        for (const connection of arrived) assert.equal(connection.mechanism, mechanism);
        await listener.exit();
      }
    });

    test('the other half takes it back', () => {
      gateway.run('sh', ['-c', undo]);
      assert.deepEqual(state(), before);
      assert.doesNotMatch(gateway.run('nft', ['list', 'ruleset']), /origdst/i);
      for (const table of ['nat', 'mangle']) {
        for (const program of ['iptables', 'ip6tables']) {
          assert.doesNotMatch(gateway.run(program, ['-w', '-t', table, '-S']), /^-[AN]/m);
        }
      }
    });
  });
}
