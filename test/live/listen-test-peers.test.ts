/**
 * Proxies that no one here wrote, which stay invisible to the server as `--relay --spoof` does: in the
 * same lab, on the same port, they and the relay show the server the same address.
 */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, describe, test } from 'node:test';
import { endpoint, formatEndpoint } from '../../src/endpoint.ts';
import { CLIENT, Lab, SERVER } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import type { Family } from '../../src/verdict.ts';
import { ListenTest } from '../support/listen-test.ts';
import { RunningProxy } from '../support/proxy.ts';
import { keepReplies, LISTENER_PORT, redirectPort80 } from '../support/rules.ts';
import { Scratch } from '../support/scratch.ts';
import { heard, listenIn, streamFrom } from '../support/streams.ts';

const native = requireNative();

/** The arguments of each program, and its configuration in the folder. */
const CONFIGURATIONS: Record<string, (scratch: Scratch) => string[]> = {
  haproxy: (scratch) => ['-db', '-f', scratch.write('haproxy.cfg', HAPROXY)],
  squid: (scratch) => ['--foreground', '-f', scratch.write('squid.conf', squid(scratch))],
};

/** A server whose address is 0.0.0.0 stands for the one that the client called. */
const HAPROXY = `
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen carry
  bind 0.0.0.0:${LISTENER_PORT} transparent
  bind :::${LISTENER_PORT} v6only transparent
  source 0.0.0.0 usesrc clientip
  server origin 0.0.0.0
`;

function squid(scratch: Scratch): string {
  return `
http_port 3128
http_port ${LISTENER_PORT} tproxy
http_access allow all
cache deny all
access_log none
cache_log ${scratch.file('cache.log')}
pid_filename ${scratch.file('squid.pid')}
coredump_dir ${scratch.path}
netdb_filename none
hosts_file none
dns_nameservers 127.0.0.1
pinger_enable off
cache_effective_user proxy
visible_hostname gateway.test
shutdown_lifetime 0 seconds
`;
}

describe('the server sees the client, whoever carries the connection', () => {
  const lab = new Lab(native);
  redirectPort80(lab.gateway, 'nft', 'tproxy');
  keepReplies(lab.gateway);
  const seen: (string | undefined)[] = [];
  const origins = ([4, 6] satisfies Family[]).map((family) => {
    const server = createServer((request, response) => {
      seen.push(request.socket.remoteAddress);
      response.end('from the origin');
    });
    return listenIn(native, lab.server, endpoint(SERVER[family], 80), server);
  });
  after(() => {
    for (const origin of origins) origin.close().closeAllConnections();
    lab.close();
  });

  for (const [program, configure] of Object.entries(CONFIGURATIONS)) {
    test(`${program}, and then listen-test --relay --spoof`, async () => {
      const scratch = new Scratch('proxy');
      after(() => scratch.remove());
      const proxy = new RunningProxy(native, lab.gateway, {
        program: program as 'squid' | 'haproxy',
        args: configure(scratch),
        port: LISTENER_PORT,
      });
      let listener: ListenTest | undefined;
      // In this order: the proxy's end is that of everything in its namespace.
      after(async () => {
        await listener?.stop();
        await proxy.stop();
      });
      await proxy.up(native);
      const theirs = await visits();
      await proxy.stop();

      listener = await ListenTest.start(native, lab.gateway, [
        ...['--port', String(LISTENER_PORT), '--relay', '--spoof'],
      ]);
      const ours = await visits();
      assert.deepEqual(ours, theirs);
      assert.deepEqual(ours, [CLIENT[4], CLIENT[6]]);
      assert.deepEqual(
        (await listener.arrived(2)).map(({ original, mechanism }) => ({ original, mechanism })),
        [
          { original: { address: SERVER[4], port: 80 }, mechanism: 'tproxy4' },
          { original: { address: SERVER[6], port: 80 }, mechanism: 'tproxy4' },
        ],
      );
    });
  }

  /** One request over each family: the addresses that the server saw. */
  async function visits(): Promise<(string | undefined)[]> {
    seen.length = 0;
    for (const family of [4, 6] satisfies Family[]) {
      const to = endpoint(SERVER[family], 80);
      const { socket } = streamFrom(native, lab.client, to);
      socket.write(`GET / HTTP/1.1\r\nHost: ${formatEndpoint(to)}\r\nConnection: close\r\n\r\n`);
      assert.match(await heard(socket, 'from the origin'), /^HTTP\/1\.1 200 OK\r\n/);
      socket.destroy();
    }
    return [...seen];
  }
});
