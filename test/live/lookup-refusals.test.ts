/** Connections that have no translation to be found: each gets its own verdict, cause and remedy. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, describe, test } from 'node:test';
import { formatEndpoint } from '../../src/endpoint.ts';
import type { LookupResult } from '../../src/inquiry.ts';
import type { LabHost } from '../../src/lab/host.ts';
import { GATEWAY, Lab, SERVER } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import { lookupJson } from '../support/cli.ts';
import { type Client, connectFrom } from '../support/client.ts';
import { type Listener, startListener } from '../support/listener.ts';
import { LISTENER_PORT, redirectPort80 } from '../support/rules.ts';

const native = requireNative();
const NFT_ZONE = `table inet zones {
  chain pre { type filter hook prerouting priority raw; ct zone set 7
  }
  chain out { type filter hook output priority raw; ct zone set 7
  }
}
`;

interface Scene {
  lab: Lab;
  /** A listener on port 8110 of `host`, and a client connected to `address`:`port`. */
  connect(host: LabHost, address: string, port: number): Promise<{ listener: Listener; client: Client }>;
}

/** A lab of its own for a test, cleaned up whatever happens. */
async function scene(play: (scene: Scene) => Promise<void>): Promise<void> {
  const lab = new Lab(native);
  const closers: (() => unknown)[] = [];
  try {
    await play({
      lab,
      async connect(host, address, port) {
        const listener = await startListener(native, host, {
          family: 4,
          port: LISTENER_PORT,
          transparent: false,
          title: 'odt-refusals',
        });
        closers.push(() => listener.stop());
        const client = connectFrom(native, lab.client, address, port);
        closers.push(client.close);
        await listener.accepted(1);
        return { listener, client };
      },
    });
  } finally {
    for (const close of closers) await close();
    lab.close();
  }
}

function ask(args: string[]): LookupResult & { code: number | null } {
  const { results, code, stderr } = lookupJson(args);
  const [result] = results;
  assert(result !== undefined, stderr);
  return { ...result, code };
}

/** What every answer that is not good must have. */
function assertExplained(result: LookupResult): void {
  assert(result.evidence.length > 0, 'a verdict without a step');
  assert(result.cause?.endsWith('.'), `no cause: ${result.cause}`);
  assert(result.remedy !== null && result.remedy.length > 0, 'no remedy');
  assert.equal(result.original, null);
}

test('not redirected: untranslated', () =>
  scene(async ({ lab, connect }) => {
    redirectPort80(lab.gateway, 'nft', 'redirect');
    const { listener } = await connect(lab.gateway, GATEWAY[4], LISTENER_PORT);
    const result = ask(['--pid', String(listener.pid)]);
    assert.equal(result.verdict, 'untranslated');
    assert.equal(result.reason, 'destination-unchanged');
    assertExplained(result);
    assert.equal(result.code, 3);
  }));

for (const tool of ['nft', 'iptables-legacy']) {
  test(`NOTRACK by ${tool}: no entry, and the rule is named`, () =>
    scene(async ({ lab, connect }) => {
      redirectPort80(lab.gateway, 'nft', 'redirect');
      if (tool === 'nft') {
        lab.gateway.run(
          'nft',
          ['-f', '-'],
          'table ip raw {\n chain pre {\n type filter hook prerouting priority raw; tcp dport 8110 notrack\n }\n chain out {\n type filter hook output priority raw; tcp sport 8110 notrack\n }\n}\n',
        );
      } else {
        lab.gateway.run('iptables-legacy', [
          '-t',
          'raw',
          '-A',
          'PREROUTING',
          '-p',
          'tcp',
          '--dport',
          '8110',
          '-j',
          'CT',
          '--notrack',
        ]);
        lab.gateway.run('iptables-legacy', [
          '-t',
          'raw',
          '-A',
          'OUTPUT',
          '-p',
          'tcp',
          '--sport',
          '8110',
          '-j',
          'CT',
          '--notrack',
        ]);
      }
      const { listener } = await connect(lab.gateway, GATEWAY[4], LISTENER_PORT);
      const result = ask(['--pid', String(listener.pid)]);
      assert.equal(result.verdict, 'no-entry');
      assert.equal(result.reason, 'not-tracked');
      assert.match(result.cause ?? '', /notrack/i);
      assertExplained(result);
      assert.equal(result.code, 3);
    }));
}

test('another conntrack zone: no entry in zone 0, and the printed remedy finds it', () =>
  scene(async ({ lab, connect }) => {
    redirectPort80(lab.gateway, 'nft', 'redirect');
    lab.gateway.run('nft', ['-f', '-'], NFT_ZONE);
    const { listener } = await connect(lab.gateway, SERVER[4], 80);
    const result = ask(['--pid', String(listener.pid)]);
    assert.equal(result.verdict, 'no-entry');
    assert.equal(result.reason, 'other-zone');
    assert.match(result.cause ?? '', /zone 7/);
    assertExplained(result);
    assert.equal(result.code, 3);
    const found = ask(remedyArguments(result));
    assert.equal(found.verdict, 'translated');
    assert.deepEqual(found.original, { address: SERVER[4], port: 80 });
    assert.equal(found.flow.zone, 7);
    assert.equal(found.code, 0);
  }));

for (const tracked of [false, true]) {
  test(`NAT in another namespace (${tracked ? 'tracked' : 'not tracked'} here): it is named, and asking there finds it`, () =>
    scene(async ({ lab, connect }) => {
      lab.gateway.run(
        'nft',
        ['-f', '-'],
        `table ip elsewhere {\n chain pre {\n type nat hook prerouting priority dstnat; ip daddr ${GATEWAY[4]} tcp dport 80 dnat to ${SERVER[4]}:8110\n }\n}\n`,
      );
      if (tracked)
        lab.server.run(
          'nft',
          ['-f', '-'],
          'table ip track {\n chain in {\n type filter hook input priority 0; ct state established accept\n }\n}\n',
        );
      const { listener } = await connect(lab.server, GATEWAY[4], 80);
      const holder = spawnInside(lab.gateway);
      try {
        const result = ask(['--pid', String(listener.pid)]);
        assert.equal(result.verdict, tracked ? 'untranslated' : 'no-entry');
        assert.equal(result.reason, 'other-namespace');
        assert.match(result.cause ?? '', new RegExp(`${GATEWAY[4]}:80`));
        assertExplained(result);
        assert.equal(result.code, 3);
        const found = ask(remedyArguments(result));
        assert.deepEqual(found.original, { address: GATEWAY[4], port: 80 });
        assert.equal(found.verdict, 'translated');
      } finally {
        holder.kill('SIGKILL');
      }
    }));
}

test('tracking that began with a reply: reversed', () =>
  scene(async ({ lab, connect }) => {
    const { listener } = await connect(lab.gateway, GATEWAY[4], LISTENER_PORT);
    lab.gateway.run(
      'nft',
      ['-f', '-'],
      'table ip track {\n chain in {\n type filter hook input priority 0; ct state established accept\n }\n}\n',
    );
    listener.speak();
    await new Promise((resolve) => setTimeout(resolve, 200));
    const result = ask(['--pid', String(listener.pid)]);
    assert.equal(result.verdict, 'reversed');
    assertExplained(result);
    assert.equal(result.code, 3);
  }));

test('never tracked: no entry, and what could be asked was asked', () =>
  scene(async ({ lab, connect }) => {
    const { listener } = await connect(lab.gateway, GATEWAY[4], LISTENER_PORT);
    const result = ask(['--pid', String(listener.pid)]);
    assert.equal(result.verdict, 'no-entry');
    assertExplained(result);
    assert.match(result.cause ?? '', /never tracked/);
  }));

test('MPTCP: the socket cannot say, the table can', () => {
  const lab = new Lab(native);
  after(() => lab.close());
  redirectPort80(lab.gateway, 'nft', 'redirect');
  const listener = native.openSocket(4, 'mptcp', lab.gateway.netns).fd ?? -1;
  native.bind(listener, { address: '0.0.0.0', port: LISTENER_PORT });
  native.listen(listener, 8);
  const client = native.openSocket(4, 'mptcp', lab.client.netns).fd ?? -1;
  native.connect(client, { address: SERVER[4], port: 80 });
  assert.deepEqual(native.poll([listener], 'read', 5000), [listener]);
  const fd = native.accept(listener).result;
  after(() => [listener, client, fd].forEach((one) => void native.close(one)));
  const { results } = lookupJson(['--fd', '3'], { fd });
  assert.equal(results[0]?.flow.protocol, 'mptcp');
  assert.deepEqual(results[0]?.original, { address: SERVER[4], port: 80 });
  assert.equal(results[0]?.verdict, 'translated');
  assert(
    results[0]?.evidence.some((step) => step.errorName === 'EOPNOTSUPP'),
    'the refusal of the socket is evidence',
  );
});

describe('as another user', () => {
  test('another user’s process: denied, never absent', () =>
    scene(async ({ lab, connect }) => {
      redirectPort80(lab.gateway, 'nft', 'redirect');
      const { listener, client } = await connect(lab.gateway, SERVER[4], 80);
      const nobody = 65534;
      const byPid = lookupJson(['--pid', String(listener.pid)], { uid: nobody });
      assert.equal(byPid.code, 5, byPid.stderr);
      assert.match(byPid.stderr, /EACCES/);
      const byFd = lookupJson(['--pid', String(listener.pid), '--fd', '20'], { uid: nobody });
      assert.equal(byFd.code, 5);
      assert.equal(byFd.results[0]?.verdict, 'denied');
      const [peer, local] = [formatEndpoint(client.local), `${GATEWAY[4]}:${LISTENER_PORT}`];
      const byTuple = lookupJson(['--peer', peer, '--local', local], { uid: nobody });
      assert.equal(byTuple.results[0]?.verdict, 'denied');
      assert.equal(byTuple.code, 5);
      const byPort = native.inNamespace(lab.gateway.netns, () =>
        lookupJson(['--port', String(LISTENER_PORT)], { uid: nobody }),
      );
      assert.equal(byPort.results[0]?.verdict, 'denied');
      assert.equal(byPort.code, 5);
    }));

  test('an inherited socket answers without privilege', () =>
    scene(async ({ lab }) => {
      redirectPort80(lab.gateway, 'nft', 'redirect');
      const listener = native.openSocket(4, 'tcp', lab.gateway.netns).fd ?? -1;
      native.bind(listener, { address: '0.0.0.0', port: LISTENER_PORT });
      native.listen(listener, 8);
      const client = connectFrom(native, lab.client, SERVER[4], 80);
      const fd = native.accept(listener).result;
      const { results, code } = lookupJson(['--fd', '3'], { fd, uid: 65534 });
      assert.deepEqual(results[0]?.original, { address: SERVER[4], port: 80 });
      assert.equal(code, 0);
      client.close();
      native.close(fd);
      native.close(listener);
    }));
});

/** The other namespace must be findable: a container or router always has a process in it. */
function spawnInside(host: LabHost) {
  return native.inNamespace(host.netns, () => spawn('sleep', ['60'], { stdio: 'ignore' }));
}

/** The words of `origdst …` as the remedy prints them, without the comment behind. */
function remedyArguments({ remedy }: LookupResult): string[] {
  const words = (remedy ?? '').split('#')[0]?.trim().split(' ') ?? [];
  assert.deepEqual(words.slice(0, 2), ['origdst', 'lookup']);
  return words.slice(2);
}
