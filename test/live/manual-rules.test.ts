/** The rules of origdst-mechanisms(7), run as they stand there, do what the page says. */

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { LabHost } from '../../src/lab/host.ts';
import { CLIENT, Lab, SERVER } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import type { Family } from '../../src/verdict.ts';
import { lookupJson, origdst } from '../support/cli.ts';
import { type Client, connectFrom } from '../support/client.ts';
import { startListener } from '../support/listener.ts';
import { literalBlocks, readPage, subsection } from '../support/mdoc.ts';

const native = requireNative();
const page = readPage('origdst-mechanisms.7');

/** The blocks of a subsection that root is to type. */
function commandsOf(name: string): string[] {
  return literalBlocks(subsection(page, name)).filter((block) => block.startsWith('# '));
}

/** As root's shell runs them, but that iptables is the one that this kernel can have in any build. */
function type(host: LabHost, block: string): void {
  const legacy = ['iptables', 'ip6tables'].map((tool) => `${tool}() { command ${tool}-legacy -w "$@"; }\n`);
  host.run('sh', ['-e', '-c', legacy.join('') + block.replaceAll(/^# /gm, '')]);
}

async function expectIntercepted(
  lab: Lab,
  from: LabHost,
  families: readonly Family[],
  verdict: 'translated' | 'inferred',
): Promise<void> {
  const listener = await startListener(native, lab.gateway, {
    family: 6,
    port: 3129,
    transparent: verdict === 'inferred',
    title: 'odt-manual',
  });
  const clients: Client[] = [];
  try {
    for (const family of families) clients.push(connectFrom(native, from, SERVER[family], 80));
    await listener.accepted(families.length);
    const { results, stderr } = lookupJson(['--pid', String(listener.pid)]);
    const found = results.map(
      (result) => `${result.verdict} ${result.original?.address} ${result.original?.port}`,
    );
    assert.deepEqual(
      found.sort(),
      families.map((family) => `${verdict} ${SERVER[family]} 80`).sort(),
      stderr,
    );
  } finally {
    for (const client of clients) client.close();
    await listener.stop();
  }
}

/** Blocks of the page, by what they are for. */
const [byNft = '', byIptables = '', ownByNft = '', ...moreNetfilter] = commandsOf('netfilter');
const [tproxyByNft = '', tproxyByIptables = '', ...moreTproxy] = commandsOf('tproxy4');
const [router = '', ...moreRouters] = commandsOf('Policy routing');
const [bridge = '', ...moreBridges] = commandsOf('Bridges');

test('there is no block that nothing here runs', () => {
  assert.deepEqual([moreNetfilter, moreTproxy, moreRouters, moreBridges].flat(), []);
  const all = literalBlocks(page).filter((block) => block.startsWith('# '));
  assert.equal(all.length, 7);
});

describe('a lab for each', () => {
  const inLab = (name: string, run: (lab: Lab) => Promise<void> | void) =>
    test(name, async () => {
      const lab = new Lab(native);
      try {
        await run(lab);
      } finally {
        lab.close();
      }
    });

  inLab('netfilter by nft', (lab) => {
    type(lab.gateway, byNft);
    return expectIntercepted(lab, lab.client, [4, 6], 'translated');
  });

  inLab('netfilter by iptables', (lab) => {
    type(lab.gateway, byIptables);
    return expectIntercepted(lab, lab.client, [4, 6], 'translated');
  });

  inLab('netfilter, connections of the host itself', (lab) => {
    type(lab.gateway, ownByNft);
    return expectIntercepted(lab, lab.gateway, [4, 6], 'translated');
  });

  inLab('tproxy4 by nft, and a spoofed connection', async (lab) => {
    type(lab.gateway, tproxyByNft);
    await expectIntercepted(lab, lab.client, [4, 6], 'inferred');
    await expectSpoofed(lab, [4, 6]);
  });

  inLab('tproxy4 by iptables, and a spoofed connection', async (lab) => {
    type(lab.gateway, tproxyByIptables);
    await expectIntercepted(lab, lab.client, [4], 'inferred');
    await expectSpoofed(lab, [4]);
  });

  inLab('a router hands both directions to the proxy', ({ gateway }) => {
    const networks = { lan0: '192.0.2.1/24', wan0: '198.51.100.1/24', proxy0: '203.0.113.1/24' };
    gateway.ip(
      'link del inside',
      'link del outside',
      ...Object.entries(networks).flatMap(([name, address]) => [
        `link add ${name} type veth peer name ${name}-peer`,
        `link set ${name}-peer up`,
        `address add ${address} dev ${name}`,
        `link set ${name} up`,
      ]),
    );
    type(gateway, router);
    const route = (from: string, to: string, iif: string, ports: string) =>
      gateway.run('ip', [
        'route',
        'get',
        to,
        'from',
        from,
        'iif',
        iif,
        'ipproto',
        'tcp',
        ...ports.split(' '),
      ]);
    const [client, server] = [CLIENT[4], SERVER[4]];
    assert.match(route(client, server, 'lan0', 'sport 4000 dport 80'), /via 203\.0\.113\.2 dev proxy0/);
    assert.match(route(server, client, 'wan0', 'sport 80 dport 4000'), /via 203\.0\.113\.2 dev proxy0/);
    assert.match(route(client, server, 'proxy0', 'sport 4000 dport 80'), /dev wan0/);
    assert.match(route(server, client, 'proxy0', 'sport 80 dport 4000'), /dev lan0/);
  });

  inLab('frames are taken off a bridge', ({ gateway }) => {
    type(gateway, bridge);
    assert.match(
      gateway.run('nft', ['list', 'ruleset']),
      /tcp sport 80 meta pkttype set host ether daddr set 02/,
    );
  });
});

async function expectSpoofed(lab: Lab, families: readonly Family[]): Promise<void> {
  const server = await startListener(native, lab.server, {
    family: 6,
    port: 80,
    transparent: false,
    title: 'odt-server',
  });
  after(() => server.stop());
  for (const family of families) {
    const target = family === 4 ? `${SERVER[4]}:80` : `[${SERVER[6]}]:80`;
    const ran = origdst(['spoof-connect', '--source', CLIENT[family], target, '--netns', lab.gateway.path]);
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
  }
}
