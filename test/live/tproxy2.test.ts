/**
 * The commands against a kernel with the TPROXY 2 patch: an emulation by the rules of its source, which
 * tproxy2-rules.test.ts goes through.
 */

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { LookupResult } from '../../src/inquiry.ts';
import { CLIENT, GATEWAY, Lab, SERVER } from '../../src/lab/lab.ts';
import type { CapabilityRow } from '../../src/matrix.ts';
import { requireNative } from '../../src/native.ts';
import type { Question } from '../../src/verdict.ts';
import { Emulation, TPROXY_VERSION } from '../emulation/emulation.ts';
import { EmulatedListenTest } from '../emulation/events.ts';
import { PATCH, PROXY, SERVICE, WEB } from '../emulation/patch.ts';
import { origdst } from '../support/cli.ts';
import { connectFrom } from '../support/client.ts';

const native = requireNative();
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

let emulation: Emulation;
let lab: Lab;
before(async () => {
  emulation = await Emulation.start();
});
after(async () => {
  const { setTproxy1 } = await emulation.counters();
  await emulation.stop();
  assert.equal(setTproxy1, 0, 'the numbers of TPROXY 1.2 are other options today');
});
beforeEach(async () => {
  await emulation.set('tproxy2', TPROXY_VERSION);
  lab = new Lab(native, [4]);
  lab.gateway.run('nft', ['-f', '-'], PATCH);
});
afterEach(() => lab.close());

describe('capabilities', () => {
  const ASK = ['capabilities', '--mechanism', 'tproxy2', '--json'];
  const verdicts = ({ stdout }: { stdout: string }) =>
    (JSON.parse(stdout).results as CapabilityRow[]).map(
      ({ id, verdict, reason }) => `${id} ${verdict} ${reason}`,
    );
  const rows = (lookup: string, others: string) =>
    ['lookup', 'accept', 'spoof'].flatMap((operation) =>
      ['tcp', 'udp'].map(
        (protocol) => `tproxy2.${operation}.ipv4.${protocol} ${operation === 'lookup' ? lookup : others}`,
      ),
    );

  test('this kernel does not carry the patch', () => {
    assert.deepEqual(verdicts(origdst(ASK)), rows('absent no-option', 'absent no-option'));
  });

  test('a kernel that does', () => {
    const run = emulation.origdst(ASK);
    assert.deepEqual(verdicts(run), rows('available version-answered', 'available assign-answers'));
    const details = (JSON.parse(run.stdout).results as CapabilityRow[]).flatMap(({ evidence }) => evidence);
    assert(details.some(({ detail }) => detail === 'version 2.0.6'));
  });

  for (const [who, prefix] of [
    ['an ordinary user', NOBODY],
    // capable() of these kernels knows one user namespace, the first.
    ['root of a user namespace', ['unshare', '--user', '--map-root-user', '--net']],
  ] as const) {
    test(`${who} may look up, and may not assign`, () => {
      assert.deepEqual(
        verdicts(emulation.origdst(ASK, prefix)),
        rows('available version-answered', 'denied not-permitted'),
      );
    });
  }

  test('another version', async () => {
    await emulation.set('tproxy2', 0x03000001);
    const [row] = JSON.parse(emulation.origdst(ASK).stdout).results as CapabilityRow[];
    assert(row?.evidence.some(({ detail }) => detail === 'version 3.0.1'));
  });
});

describe('lookup and listen-test', () => {
  /** A listener whose sockets are the emulation's, in this process. */
  function listen(port: number): number {
    return emulation.within(() => {
      const { fd } = native.openSocket(4, 'tcp', lab.gateway.netns);
      assert(fd !== null);
      assert.equal(native.bind(fd, { address: '0.0.0.0', port }).errorName, null);
      assert.equal(native.listen(fd, 8).errorName, null);
      return fd;
    });
  }

  function accept(listener: number): number {
    assert.deepEqual(native.poll([listener], 'read', 5000), [listener]);
    const { result, errorName } = native.accept(listener);
    assert.equal(errorName, null);
    return result;
  }

  const lookup = (fd: number): LookupResult => {
    const { stdout } = origdst(['lookup', '--mechanism', 'tproxy2', '--fd', '3', '--json'], { fd });
    return JSON.parse(stdout).results[0];
  };

  test('redirected by the table, and not redirected', () => {
    const listener = listen(PROXY);
    const redirected = connectFrom(native, lab.client, SERVER[4], WEB);
    const first = lookup(accept(listener));
    assert.deepEqual([first.verdict, first.original], ['translated', { address: SERVER[4], port: WEB }]);
    const direct = connectFrom(native, lab.client, GATEWAY[4], PROXY);
    const second = lookup(accept(listener));
    assert.deepEqual([second.verdict, second.reason], ['untranslated', 'destination-unchanged']);
    for (const { close } of [redirected, direct]) close();
  });

  test('without the patch it says so, although connection tracking would know', async () => {
    await emulation.set('tproxy2', 0);
    const listener = listen(PROXY);
    const client = connectFrom(native, lab.client, SERVER[4], WEB);
    const result = lookup(accept(listener));
    assert.deepEqual([result.verdict, result.reason], ['unsupported', 'no-option']);
    client.close();
  });

  test('a datagram socket: the destination comes with the datagram', () => {
    const fd = emulation.within(() => native.openSocket(4, 'udp', lab.gateway.netns).fd);
    assert(fd !== null);
    const question: Question = { operation: 'accept', family: 4, protocol: 'udp' };
    const { steps } = native.prepare('tproxy2', fd, question);
    assert.deepEqual(
      steps.map(({ target, errorName }) => [target, errorName]),
      [
        ['SOL_IP IP_TPROXY (TPROXY_VERSION)', null],
        ['SOL_IP IP_RECVORIGADDRS', null],
      ],
    );
    native.connect(fd, { address: CLIENT[4], port: 9 });
    assert.equal(lookup(fd).reason, 'needs-message');
  });

  test('listen-test', async () => {
    const args = ['--port', String(PROXY), '--mechanism', 'tproxy2', '--count', '1', '--timeout', '20'];
    const running = new EmulatedListenTest(emulation, lab.gateway, args);
    try {
      assert.deepEqual((await running.listening()).families, [4]);
      const client = connectFrom(native, lab.client, SERVER[4], WEB);
      const { verdict, mechanism, original, intercepted } = await running.connection();
      assert.deepEqual([verdict, mechanism, intercepted], ['translated', 'tproxy2', true]);
      assert.deepEqual(original, { address: SERVER[4], port: WEB });
      assert.equal((await running.summary()).code, 0);
      client.close();
    } finally {
      await running.stop();
    }
  });

  test('to listen on a foreign address: bind, ASSIGN, listen, FLAGS', () => {
    const question: Question = { operation: 'accept', family: 4, protocol: 'tcp' };
    const fd = emulation.within(() => native.openSocket(4, 'tcp', lab.gateway.netns).fd);
    assert(fd !== null);
    assert.equal(native.prepare('tproxy2', fd, question).steps.at(-1)?.errorName, null);
    const early = native.assign('tproxy2', fd, question, SERVICE);
    assert.equal(early.steps.at(-1)?.errorName, 'EINVAL', 'bind first');
    assert.equal(native.bind(fd, { address: GATEWAY[4], port: 2121 }).errorName, null);
    const { steps } = native.assign('tproxy2', fd, question, SERVICE);
    assert.deepEqual(
      steps.map(({ call, target, errorName }) => [call, target.replace('SOL_IP IP_TPROXY ', ''), errorName]),
      [
        ['setsockopt', '(TPROXY_ASSIGN)', null],
        ['listen', 'fd', null],
        ['setsockopt', '(TPROXY_FLAGS ITP_LISTEN)', null],
      ],
    );
    const client = connectFrom(native, lab.client, SERVICE.address, SERVICE.port);
    const result = lookup(accept(fd));
    assert.deepEqual(
      [result.verdict, result.original],
      ['translated', { address: SERVICE.address, port: SERVICE.port }],
    );
    client.close();
  });
});
