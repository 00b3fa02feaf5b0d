/**
 * The rule of IPFIRE-wall's own documentation: a mail client asks 193.70.192.70 for its mail, and a proxy on
 * 192.168.0.1:8110 gets the connection and carries it on. Converted, loaded, and run.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { endpoint } from '../../src/endpoint.ts';
import { Lab } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import { origdst } from '../support/cli.ts';
import { ListenTest } from '../support/listen-test.ts';
import { assertUndone, convertFor, loadInto, TOOLS, undo } from '../support/rules-converted.ts';
import { heard, listenIn, streamFrom } from '../support/streams.ts';

const FILE = fileURLToPath(new URL('../golden/rules/documented.translation', import.meta.url));
const FLOW = 'tcp 192.168.0.3:40000 193.70.192.70:110';
const native = requireNative();

test('check: END is missing and POSITION is ignored', () => {
  const { code, stdout } = origdst(['rules', 'check', '--json', FILE]);
  assert.equal(code, 3);
  const { findings, loader } = JSON.parse(stdout);
  const ids = findings.map(({ id, line }: { id: string; line: number }) => `${line} ${id}`);
  assert.deepEqual(ids, ['1 pre-not-own-traffic', '2 position-ignored', '8 end-missing']);
  assert.deepEqual(loader, {
    outcome: 'refused',
    status: 1,
    says: [
      'Keyword "POSITION=18" at line 2 not valid!',
      'Error! Number of rules mismatch [1 vs 0]! Strange!',
    ],
  });
});

test('explain: the proxy gets the client’s connection, once the file is mended', () => {
  const { code, stdout } = origdst(['rules', 'explain', '--json', FILE, '--flow', FLOW]);
  assert.equal(code, 0);
  const { verdict, match, after, loads } = JSON.parse(stdout);
  assert.equal(verdict, 'redirected');
  assert.deepEqual(match, { list: 'pre', rule: 1, line: 1, name: null });
  assert.deepEqual(after.destination, { address: '192.168.0.1', port: 8110 });
  assert.equal(loads, false);
});

for (const tool of TOOLS) {
  describe(`converted, loaded by ${tool}`, () => {
    const lab = new Lab(native, [4]);
    const conversion = convertFor(tool, readFileSync(FILE, 'latin1'));
    let server: Server;

    before(() => {
      lab.gateway.ip('address add 192.168.0.1/24 dev inside', 'address add 193.70.192.1/24 dev outside');
      lab.client.ip(
        'address add 192.168.0.3/24 dev eth0',
        'route add 193.70.192.0/24 via 192.168.0.1 src 192.168.0.3',
      );
      lab.server.ip('address add 193.70.192.70/24 dev eth0', 'route add 192.168.0.0/24 via 193.70.192.1');
      server = listenIn(
        native,
        lab.server,
        endpoint('193.70.192.70', 110),
        createServer((socket) => {
          socket.on('error', () => socket.destroy());
          socket.write('+OK POP3 ready\r\n');
          socket.on('data', (command) => void socket.write(`+OK ${command}`));
        }),
      );
    });

    after(() => {
      server.close();
      lab.close();
    });

    test('the proxy learns where the client wanted to go, and carries its words', async () => {
      assert.deepEqual(conversion.problems, []);
      loadInto(lab.gateway, tool, conversion);
      const proxy = await ListenTest.start(native, lab.gateway, [
        '--port',
        '8110',
        '--relay',
        '--count',
        '1',
      ]);
      after(() => proxy.stop());
      const { socket } = streamFrom(native, lab.client, endpoint('193.70.192.70', 110));
      assert.match(await heard(socket, '\r\n'), /^\+OK POP3 ready/);
      socket.write('USER tux\r\n');
      assert.match(await heard(socket, '\r\n'), /^\+OK USER tux/);
      const [connection] = await proxy.arrived(1);
      assert.deepEqual(connection?.original, { address: '193.70.192.70', port: 110 });
      assert.deepEqual(connection?.flow.local, { address: '192.168.0.1', port: 8110 });
      assert.equal(connection?.flow.peer?.address, '192.168.0.3');
      socket.destroy();
    });

    test('the printed commands take it back', () => {
      undo(lab.gateway, tool, conversion);
      assertUndone(lab.gateway, tool);
    });
  });
}
