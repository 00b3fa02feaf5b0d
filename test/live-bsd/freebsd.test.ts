/**
 * FreeBSD: a client and a gateway in jails with network stacks of their own (vnet), an epair(4) between them. Run as root:
 *
 *   kldload -n if_epair pf ipfw && node --test test/live-bsd/freebsd.test.ts
 *
 * Nothing of the host's own rules is touched: PF and ipfw have their own in each vnet. Sources: jail(8), epair(4), vnet(9),
 * pfctl(8), ipfw(8). Not yet run; see PLATFORMS.md.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Site, serveOne } from './site.ts';

const CLIENT = 'origdst_client';
const GATEWAY = 'origdst_gateway';
const SERVER = join(import.meta.dirname, 'lookup-server.ts');
const ORIGIN = { address: '198.51.100.7', port: 80 };

const site = new Site();
const inClient = ['jexec', CLIENT];
const inGateway = ['jexec', GATEWAY];
let uplink = '';

before(() => {
  assert.equal(process.platform, 'freebsd', 'this suite is for FreeBSD');
  assert.equal(process.geteuid?.(), 0, 'jails take root');
  for (const name of [CLIENT, GATEWAY]) {
    site.run(['jail', '-c', `name=${name}`, 'vnet', 'persist', 'path=/'], ['jail', '-r', name]);
  }
  // epairNa and epairNb; destroying one end destroys both, and a jail gives its interfaces back when it goes.
  const near = site.run(['ifconfig', 'epair', 'create']).trim();
  uplink = near.replace(/a$/, 'b');
  site.run(['ifconfig', near, 'vnet', CLIENT], ['ifconfig', near, 'destroy']);
  site.run(['ifconfig', uplink, 'vnet', GATEWAY]);
  for (const prefix of [inClient, inGateway])
    site.run([...prefix, 'ifconfig', 'lo0', 'inet', '127.0.0.1/8', 'up']);
  site.run([...inClient, 'ifconfig', near, 'inet', '10.77.0.2/24', 'up']);
  site.run([...inGateway, 'ifconfig', uplink, 'inet', '10.77.0.1/24', 'up']);
  site.run([...inClient, 'route', '-q', 'add', 'default', '10.77.0.1']);
  site.run([...inGateway, 'sysctl', '-q', 'net.inet.ip.forwarding=1']);
});

after(() => site.tearDown());

const connect = [...inClient, 'nc', '-w', '3', ORIGIN.address, String(ORIGIN.port)];

test('pf rdr, TCP over IPv4', async () => {
  const rules = `rdr on ${uplink} inet proto tcp to ${ORIGIN.address} port ${ORIGIN.port} -> 10.77.0.1 port 8080\npass\n`;
  site.run([...inGateway, 'pfctl', '-q', '-f', '-'], [...inGateway, 'pfctl', '-q', '-F', 'all'], rules);
  site.run([...inGateway, 'pfctl', '-q', '-e'], [...inGateway, 'pfctl', '-q', '-d']);
  const { code, answer } = await serveOne(inGateway, [SERVER, '10.77.0.1', '8080', 'pf'], connect);
  assert.equal(code, 0);
  assert.equal(answer.results[0]?.verdict, 'translated');
  assert.deepEqual(answer.results[0]?.original, ORIGIN);
  site.run([...inGateway, 'pfctl', '-q', '-d']);
});

test('ipfw fwd, TCP over IPv4', async () => {
  const rule = ['100', 'fwd', '127.0.0.1,8081', 'tcp', 'from', 'any', 'to', ORIGIN.address, '80', 'in'];
  site.run([...inGateway, 'ipfw', '-q', 'add', '65000', 'allow', 'ip', 'from', 'any', 'to', 'any']);
  site.run(
    [...inGateway, 'ipfw', '-q', 'add', ...rule],
    [...inGateway, 'ipfw', '-q', 'delete', '100', '65000'],
  );
  const { code, answer } = await serveOne(inGateway, [SERVER, '127.0.0.1', '8081', 'ipfw'], connect);
  assert.equal(code, 0);
  assert.equal(answer.results[0]?.verdict, 'inferred');
  assert.deepEqual(answer.results[0]?.original, ORIGIN);
});

test('a direct connection is not taken for a redirected one', async () => {
  const direct = [...inClient, 'nc', '-w', '3', '10.77.0.1', '8082'];
  const { code, answer } = await serveOne(inGateway, [SERVER, '10.77.0.1', '8082', 'ipfw'], direct);
  assert.equal(code, 3);
  assert.equal(answer.results[0]?.verdict, 'untranslated');
});
