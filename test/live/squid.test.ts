/**
 * Squid, intercepting: what `lookup` prints about its connections equals what Squid itself logged
 * for them. Its http_port is a dual-stack socket, so the IPv4 clients arrive as mapped addresses.
 */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { endpoint, formatEndpoint } from '../../src/endpoint.ts';
import { Lab, SERVER } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import { eventually } from '../support/eventually.ts';
import { type Interception, inOrder, interception, lookedUp, WAYS, wanted } from '../support/interception.ts';
import { processesIn, RunningProxy } from '../support/proxy.ts';
import { LISTENER_PORT, redirectPort80, type Tool } from '../support/rules.ts';
import { Scratch } from '../support/scratch.ts';
import { type ClientStream, heard, listenIn, streamFrom } from '../support/streams.ts';

const native = requireNative();
const TARGETS = [endpoint(SERVER[4], 80), endpoint(SERVER[6], 80)];

for (const tool of ['nft', 'iptables-legacy'] satisfies Tool[]) {
  describe(`squid, http_port intercept, REDIRECT by ${tool}`, () => {
    const lab = new Lab(native);
    redirectPort80(lab.gateway, tool, 'redirect');
    agreesWithSquid(lab, 'intercept', 'translated');
  });

  describe(`squid, http_port tproxy, TPROXY by ${tool}`, () => {
    const lab = new Lab(native);
    redirectPort80(lab.gateway, tool, 'tproxy');
    keepReplies(lab, tool);
    agreesWithSquid(lab, 'tproxy', 'inferred');
  });
}

function agreesWithSquid(lab: Lab, mode: 'intercept' | 'tproxy', verdict: 'translated' | 'inferred'): void {
  const scratch = new Scratch('proxy');
  const origins: Server[] = [];
  const clients: ClientStream[] = [];
  const segmentsBefore = segments();
  let squid: RunningProxy;
  let logged: Interception[];

  before(async () => {
    for (const at of TARGETS) origins.push(listenIn(native, lab.server, at, createServer(greet)));
    squid = new RunningProxy(native, lab.gateway, {
      program: 'squid',
      args: ['--foreground', '-f', scratch.write('squid.conf', configuration(scratch, mode))],
      port: LISTENER_PORT,
    });
    await squid.up(native);
    for (const to of TARGETS) {
      const client = streamFrom(native, lab.client, to);
      clients.push(client);
      await getPage(client);
    }
    await eventually(
      () => scratch.lines('access.log').length >= clients.length,
      () => `squid's log: ${scratch.lines('cache.log').join('\n')}`,
    );
    logged = inOrder(scratch.lines('access.log').map(fromLog));
  });

  after(async () => {
    for (const { socket } of clients) socket.destroy();
    for (const origin of origins) origin.close().closeAllConnections();
    await squid?.stop();
    scratch.remove();
    lab.close();
  });

  test('squid logged where its clients wanted to go', () => {
    assert.deepEqual(logged, wanted(clients));
  });

  for (const [way, args] of Object.entries(WAYS)) {
    test(`lookup agrees with squid, ${way}`, () => {
      assert.deepEqual(lookedUp(squid, args(squid), verdict), logged);
    });
  }

  test('nothing of squid stays behind', async () => {
    assert(squid.pids.length >= 2, 'a master and a worker were running');
    await squid.stop();
    assert.deepEqual(processesIn(lab.gateway), []);
    assert.deepEqual(segments(), segmentsBefore);
  });
}

function greet(_: IncomingMessage, response: ServerResponse): void {
  response.end('from the origin');
}

/** The connection stays open, as HTTP/1.1 does. */
async function getPage({ socket, to }: ClientStream): Promise<void> {
  // Squid compares Host with the original destination; an address needs no name server for it.
  socket.write(`GET / HTTP/1.1\r\nHost: ${formatEndpoint(to)}\r\n\r\n`);
  assert.match(await heard(socket, 'from the origin'), /^HTTP\/1\.1 200 OK\r\n.*^Via: 1\.1 gateway\.test /ms);
}

/** Squid's shared memory, which outlives a Squid that is killed. A Squid of the host's may have some. */
function segments(): string[] {
  return readdirSync('/dev/shm').filter((name) => name.startsWith('squid'));
}

/** All that Squid would otherwise keep or look up outside of its folder and its namespace is off. */
function configuration(scratch: Scratch, mode: string): string {
  return `
http_port 3128
http_port ${LISTENER_PORT} ${mode}
http_access allow all
cache deny all
logformat ends %>a %>p %>la %>lp
access_log stdio:${scratch.file('access.log')} ends
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

/** `%>la:%>lp`, the address that the client connected to, is after interception the original one. */
function fromLog(line: string): Interception {
  const [client = '', clientPort = '', local = '', localPort = ''] = line.split(' ');
  return interception(client, clientPort, local, localPort);
}

/**
 * In tproxy mode Squid connects to the origin from the client's own address. The replies are for
 * Squid then, and are told from the client's other packets by the transparent socket that they meet.
 */
function keepReplies(lab: Lab, tool: Tool): void {
  if (tool === 'nft') {
    const rule = 'meta l4proto tcp socket transparent 1 meta mark set 1 accept';
    const chain = `type filter hook prerouting priority mangle\n${rule}`;
    lab.gateway.run('nft', ['-f', '-'], `table inet replies { chain pre { ${chain}\n }\n }\n`);
    return;
  }
  for (const command of ['iptables-legacy', 'ip6tables-legacy']) {
    const match = ['-p', 'tcp', '-m', 'socket', '--transparent', '-j', 'MARK', '--set-mark', '1'];
    lab.gateway.run(command, ['-w', '-t', 'mangle', '-A', 'PREROUTING', ...match]);
  }
}
