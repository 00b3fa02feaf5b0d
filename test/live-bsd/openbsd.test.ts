/**
 * OpenBSD: a client in routing domain 77, a pair(4) of interfaces between it and the host. Run as root:
 *
 *   node --test test/live-bsd/openbsd.test.ts
 *
 * PF has one rule set for all routing domains, and the host's own is not touched: its pf.conf(5) has to call the anchor that
 * the suite fills, with the line `anchor "origdst-test"`. Sources: rdomain(4), pair(4), route(8), pfctl(8), pf.conf(5).
 * Not yet run; see PLATFORMS.md.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Site, serveOne } from './site.ts';

const DOMAIN = '77';
const ANCHOR = 'origdst-test';
const SERVER = join(import.meta.dirname, 'lookup-server.ts');
const ORIGIN = { address: '198.51.100.7', port: 80 };

const site = new Site();

before(() => {
  assert.equal(process.platform, 'openbsd', 'this suite is for OpenBSD');
  assert.equal(process.geteuid?.(), 0, 'interfaces take root');
  const rules = site.run(['pfctl', '-s', 'rules']);
  assert.match(rules, new RegExp(`anchor "${ANCHOR}"`), `pf.conf has to have the line: anchor "${ANCHOR}"`);
  site.run(['ifconfig', 'pair77', 'create'], ['ifconfig', 'pair77', 'destroy']);
  site.run(['ifconfig', 'pair78', 'create'], ['ifconfig', 'pair78', 'destroy']);
  site.run(['ifconfig', 'pair77', 'rdomain', DOMAIN]);
  site.run(['ifconfig', 'pair77', 'inet', '10.77.0.2/24']);
  site.run(['ifconfig', 'pair78', 'inet', '10.77.0.1/24']);
  site.run(['ifconfig', 'pair78', 'patch', 'pair77']);
  site.run(['route', '-qn', '-T', DOMAIN, 'add', 'default', '10.77.0.1']);
});

after(() => site.tearDown());

const connect = ['route', '-T', DOMAIN, 'exec', 'nc', '-w', '3', ORIGIN.address, String(ORIGIN.port)];

function load(rule: string): void {
  site.run(
    ['pfctl', '-q', '-a', ANCHOR, '-f', '-'],
    ['pfctl', '-q', '-a', ANCHOR, '-F', 'rules'],
    `${rule}\n`,
  );
}

test('divert-to, TCP over IPv4', async () => {
  load(`pass in quick on pair78 inet proto tcp to ${ORIGIN.address} port 80 divert-to 127.0.0.1 port 8081`);
  const { code, answer } = await serveOne([], [SERVER, '127.0.0.1', '8081', 'divert'], connect);
  assert.equal(code, 0);
  assert.equal(answer.results[0]?.verdict, 'inferred');
  assert.deepEqual(answer.results[0]?.original, ORIGIN);
});

test('rdr-to, TCP over IPv4: by DIOCNATLOOK, or by the states where the kernel answers ENOENT', async () => {
  load(`pass in quick on pair78 inet proto tcp to ${ORIGIN.address} port 80 rdr-to 127.0.0.1 port 8080`);
  const { code, answer } = await serveOne([], [SERVER, '127.0.0.1', '8080', 'pf'], connect);
  assert.equal(code, 0);
  assert.equal(answer.results[0]?.verdict, 'translated');
  assert.deepEqual(answer.results[0]?.original, ORIGIN);
});

test('a direct connection is not taken for a diverted one', async () => {
  const direct = ['route', '-T', DOMAIN, 'exec', 'nc', '-w', '3', '10.77.0.1', '8082'];
  const { code, answer } = await serveOne([], [SERVER, '10.77.0.1', '8082', 'divert'], direct);
  assert.equal(code, 3);
  assert.equal(answer.results[0]?.verdict, 'untranslated');
});
