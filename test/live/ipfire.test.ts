/**
 * The commands against a kernel that answers option 200: an emulation of the IPFIRE module, which is held to the
 * recordings of the original by ipfire-recorded.test.ts.
 */

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { LookupResult } from '../../src/inquiry.ts';
import { CLIENT, GATEWAY, Lab, SERVER } from '../../src/lab/lab.ts';
import type { CapabilityRow } from '../../src/matrix.ts';
import { requireNative } from '../../src/native.ts';
import { Asker } from '../emulation/asker.ts';
import { Emulation } from '../emulation/emulation.ts';
import { EmulatedListenTest } from '../emulation/events.ts';
import { origdst } from '../support/cli.ts';

const native = requireNative();
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
const POP3 = `${SERVER[4]}:110`;
const PROXY = 8110;
/** What the module leaves in sin_zero must never be seen; this is its mark. */
const STALE = 'dec0ad0bdec0ad0b';

let emulation: Emulation;
before(async () => {
  emulation = await Emulation.start();
});
after(async () => {
  const { set200 } = await emulation.counters();
  await emulation.stop();
  assert.equal(set200, 0, 'setsockopt(200) is MRT_INIT');
});

describe('capabilities', () => {
  const row = (run: { stdout: string }): CapabilityRow => JSON.parse(run.stdout).results[0];
  const ASK = ['capabilities', '--mechanism', 'ipfire', '--json'];
  const inside = (prefix: readonly string[] = []) => row(emulation.origdst(ASK, prefix));

  test('this kernel: shadowed by multicast routing', () => {
    const { id, verdict, reason, evidence } = row(origdst(ASK));
    assert.deepEqual([id, verdict, reason], ['ipfire.lookup.ipv4.tcp', 'shadowed', 'ip-mroute']);
    const names = evidence
      .filter(({ target }) => target.startsWith('AF_NETLINK'))
      .map((step) => step.errorName);
    assert(names.every((name) => name === 'EPROTONOSUPPORT'));
  });

  test('a kernel without CONFIG_IP_MROUTE, and without the module: absent', async () => {
    await emulation.set('ipfire', 0);
    assert.deepEqual([inside().verdict, inside().reason], ['absent', 'module-absent']);
  });

  for (const [who, prefix] of [
    ['root', []],
    ['nobody', NOBODY],
  ] as const) {
    test(`the module is there, for ${who}: available, and nothing is written to the kernel log`, async () => {
      await emulation.set('ipfire', 1);
      const before = await emulation.counters();
      assert.deepEqual([inside(prefix).verdict, inside(prefix).reason], ['available', 'module-answers']);
      const { get200, logged } = await emulation.counters();
      assert.deepEqual([get200 - before.get200, logged - before.logged], [2, 0], 'one call a probe');
    });
  }

  test('as a gate', async () => {
    await emulation.set('ipfire', 1);
    const gate = ['capabilities', '--require', 'ipfire.*=available', '--json'];
    assert.equal(emulation.origdst(gate).code, 0);
    assert.equal(origdst(gate).code, 3);
  });
});

describe('lookup and listen-test', () => {
  let lab: Lab;
  /** The proxy, in the emulation, and its clients. */
  let asker: Asker;
  let clients: Asker;
  beforeEach(async () => {
    lab = new Lab(native, [4]);
    lab.gateway.run('nft', ['-f', '-'], RULES);
    await emulation.set('ipfire', 1);
    asker = new Asker(emulation);
    clients = new Asker(null);
    await asker.enter(lab.gateway);
    await clients.enter(lab.client);
  });
  afterEach(async () => {
    await asker.stop();
    await clients.stop();
    await emulation.forget();
    lab.close();
  });

  const lookup = (...args: string[]) => {
    const run = origdst(['lookup', '--mechanism', 'ipfire', '--json', '--pid', String(asker.pid), ...args]);
    assert(!run.stdout.includes(STALE) && !run.stdout.includes('173.11'), 'sin_zero is not printed');
    return { ...run, results: JSON.parse(run.stdout).results as LookupResult[] };
  };

  /** A connection from the client's port `from`, accepted by the asker's listener. */
  async function accepted(listener: number, from: number, to = POP3): Promise<void> {
    await connect(from, to);
    await asker.accept(listener);
  }

  async function connect(from: number, to: string): Promise<void> {
    const client = await clients.make('socket', '2 1 0');
    await clients.must(`bind ${client} ${CLIENT[4]} ${from}`);
    await clients.must(`connect ${client} ${to.replace(':', ' ')}`);
  }

  async function listener(kind: string, address: string): Promise<number> {
    const listening = await asker.make('socket', kind);
    await asker.must(`bind ${listening} ${address} ${PROXY}`);
    await asker.must(`listen ${listening}`);
    return listening;
  }

  const entry = (port: number) =>
    emulation.flow({
      peer: `${CLIENT[4]}:${port}`,
      local: `${GATEWAY[4]}:${PROXY}`,
      original: POP3,
      stale: STALE,
    });

  test('a redirected connection and a direct one, of another process', async () => {
    const listening = await listener('2 1 0', '0.0.0.0');
    await entry(40001);
    await accepted(listening, 40001);
    await accepted(listening, 40002, `${GATEWAY[4]}:${PROXY}`);
    const { code, results } = lookup();
    assert.equal(code, 0);
    const found = results.map(({ flow, verdict, reason, original }) => [
      flow.peer?.port,
      verdict,
      reason,
      original,
    ]);
    assert.deepEqual(
      found.toSorted(([a], [b]) => Number(a) - Number(b)),
      [
        [40001, 'translated', 'translated', { address: SERVER[4], port: 110 }],
        [40002, 'untranslated', 'not-redirected', null],
      ],
    );
  });

  test('the table does not know zones or namespaces: nothing else is asked', async () => {
    const listening = await listener('2 1 0', '0.0.0.0');
    await entry(40001);
    await accepted(listening, 40001);
    const before = await emulation.counters();
    assert.equal(lookup().code, 0);
    assert.equal((await emulation.counters()).get200 - before.get200, 1);
  });

  test('a connection of a dual-stack listener is not asked about, and the remedy names the IPv4 one', async () => {
    const listening = await listener('10 1 0', '::');
    await entry(40001);
    await accepted(listening, 40001);
    const before = await emulation.counters();
    const [result] = lookup().results;
    assert.deepEqual([result?.verdict, result?.reason], ['unsupported', 'ipv6-socket']);
    assert.match(result?.remedy ?? '', /0\.0\.0\.0/);
    assert.deepEqual(await emulation.counters(), before, 'no line in the kernel log');
  });

  test('without the module', async () => {
    const listening = await listener('2 1 0', '0.0.0.0');
    await accepted(listening, 40001);
    await emulation.set('ipfire', 0);
    const [result] = lookup().results;
    assert.deepEqual([result?.verdict, result?.reason], ['unsupported', 'module-absent']);
  });

  test('auto does not ask it', async () => {
    const listening = await listener('2 1 0', '0.0.0.0');
    await entry(40001);
    await accepted(listening, 40001);
    const before = await emulation.counters();
    const run = origdst(['lookup', '--json', '--pid', String(asker.pid)]);
    assert.equal(JSON.parse(run.stdout).results[0].mechanism, 'netfilter');
    assert.deepEqual(await emulation.counters(), before);
  });

  test('listen-test: an IPv4 socket, each connection asked about once', async () => {
    const before = await emulation.counters();
    await entry(40001);
    const args = ['--port', String(PROXY), '--mechanism', 'ipfire', '--count', '2', '--timeout', '20'];
    const running = new EmulatedListenTest(emulation, lab.gateway, [...args, '--expect', POP3]);
    try {
      const { address, families } = await running.listening();
      assert.deepEqual([address, families], ['0.0.0.0', [4]]);
      await connect(40001, POP3);
      const redirected = await running.connection();
      assert.deepEqual(
        [redirected.verdict, redirected.mechanism, redirected.intercepted, redirected.expected],
        ['translated', 'ipfire', true, true],
      );
      assert.deepEqual(redirected.original, { address: SERVER[4], port: 110 });
      await connect(40002, `${GATEWAY[4]}:${PROXY}`);
      const direct = await running.connection();
      assert.deepEqual([direct.verdict, direct.intercepted], ['untranslated', false]);
      assert.deepEqual((await running.summary()).code, 3, 'one was meant for another destination');
    } finally {
      await running.stop();
    }
    const { get200, logged } = await emulation.counters();
    assert.deepEqual([get200 - before.get200, logged - before.logged], [2, 0]);
  });
});

/** In place of the module's own redirection. */
const RULES = `
table ip ipfire {
  chain pre { type nat hook prerouting priority dstnat;
    iifname inside ip daddr ${SERVER[4]} tcp dport 110 dnat to ${GATEWAY[4]}:${PROXY}
  }
}`;
