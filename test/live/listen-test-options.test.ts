/** The limits and expectations of listen-test, its refusals, and the three forms of its report. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, describe, test } from 'node:test';
import { CLIENT, GATEWAY, Lab, SERVER } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import { origdst, RUN } from '../support/cli.ts';
import { connectFrom } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { ListenTest } from '../support/listen-test.ts';
import { LISTENER_PORT, redirectPort80 } from '../support/rules.ts';
import { assertSchema } from '../support/schema.ts';

const native = requireNative();
const PORT = ['--port', String(LISTENER_PORT)];
const RIGHT = `${SERVER[4]}:80`;

const lab = new Lab(native);
redirectPort80(lab.gateway, 'nft', 'redirect');
after(() => lab.close());

/** Runs it in the gateway with one client that connects to port 80 of `to`, or without a client. */
async function tried(args: readonly string[], to: readonly string[] = [], port = 80): Promise<ListenTest> {
  const listener = await ListenTest.start(native, lab.gateway, [...PORT, ...args]);
  after(() => listener.stop());
  for (const address of to) after(connectFrom(native, lab.client, address, port).close);
  return listener;
}

const inGateway = (...args: Parameters<typeof origdst>) =>
  native.inNamespace(lab.gateway.netns, () => origdst(...args));

describe('expectations', () => {
  test('what was expected: 0', async () => {
    const listener = await tried(['--count', '1', '--expect', RIGHT], [SERVER[4]]);
    assert.equal(await listener.exit(), 0);
    assert.equal(listener.connections[0]?.expected, true);
    assert.equal(listener.summary.mismatched, 0);
  });

  test('several, over both families: 0', async () => {
    const both = ['--expect', RIGHT, '--expect', `[${SERVER[6]}]:80`];
    const listener = await tried(['--count', '2', ...both], [SERVER[4], SERVER[6]]);
    assert.equal(await listener.exit(), 0);
    assert.deepEqual(listener.summary.unseen, []);
  });

  test('another destination: 3, and the one that never came is named', async () => {
    const listener = await tried(['--count', '1', '--expect', '198.51.100.9:80'], [SERVER[4]]);
    assert.equal(await listener.exit(), 3);
    assert.equal(listener.connections[0]?.expected, false);
    assert.equal(listener.summary.mismatched, 1);
    assert.deepEqual(listener.summary.unseen, [{ address: '198.51.100.9', port: 80 }]);
  });

  test('a direct connection is no destination at all: 3', async () => {
    const listener = await tried(['--count', '1', '--expect', RIGHT], [GATEWAY[4]], LISTENER_PORT);
    assert.equal(await listener.exit(), 3);
  });

  test('right, and one of two never came before the time was up: 6', async () => {
    const both = ['--expect', RIGHT, '--expect', '198.51.100.9:80'];
    const listener = await tried(['--timeout', '1', ...both], [SERVER[4]]);
    assert.equal(await listener.exit(), 6);
    assert.equal(listener.summary.mismatched, 0);
  });
});

describe('limits', () => {
  test('nothing comes in time: 6, after the diagnosis', async () => {
    const other = new Lab(native, [4]);
    after(() => other.close());
    redirectPort80(other.gateway, 'nft', 'redirect');
    // Not the port of the rule, and one that no other lab's rules name: the doctor looks there, too.
    const listener = await ListenTest.start(native, other.gateway, ['--port', '8124', '--timeout', '1']);
    assert.equal(await listener.exit(), 6);
    const [problem] = listener.summary.problems;
    assert.equal(problem?.severity, 'error');
    assert.match(problem?.cause ?? '', /^No rule sends connections to port 8124; .* to port 8110/);
    for (const line of listener.events) assertSchema('listen-test-line', line);
  });

  test('something came, and no count was asked for: the time-out is only the end', async () => {
    const listener = await tried(['--timeout', '1'], [SERVER[4]]);
    assert.equal(await listener.exit(), 0);
    assert.equal(listener.summary.ended, 'timeout');
    assert.deepEqual(listener.summary.problems, []);
  });

  test('fewer than the count in time: 6', async () => {
    const listener = await tried(['--timeout', '1', '--count', '2'], [SERVER[4]]);
    assert.equal(await listener.exit(), 6);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`${signal}: the summary, and 130`, async () => {
      const listener = await tried([], [SERVER[4]]);
      await listener.arrived(1);
      assert.equal(await listener.stop(signal), 130);
      assert.equal(listener.summary.ended, 'interrupted');
      assert.deepEqual(
        listener.closed.map(({ ending }) => ending),
        ['stopped'],
      );
    });
  }

  test('no more connections than the count, whoever still knocks', async () => {
    const listener = await tried(['--count', '2'], [SERVER[4], SERVER[4], SERVER[4]]);
    await listener.exit();
    assert.equal(listener.connections.length, 2);
  });
});

describe('the place', () => {
  test('--port 0 takes a free port, and prints it', async () => {
    const listener = await ListenTest.start(native, lab.gateway, ['--port', '0', '--count', '1']);
    const { port } = listener.listening ?? { port: 0 };
    assert(port > 0);
    after(connectFrom(native, lab.client, GATEWAY[6], port).close);
    assert.equal(await listener.exit(), 3);
  });

  for (const protocol of ['tcp', 'udp']) {
    test(`a busy ${protocol} port: 2, with the process that has it`, async () => {
      const listener = await tried(['--protocol', protocol]);
      const { code, stderr, stdout } = inGateway(['listen-test', ...PORT, '--protocol', protocol]);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(
        stderr,
        new RegExp(`${protocol} port ${LISTENER_PORT} is taken by .*\\[${listener.pid}\\]`),
      );
      await listener.stop();
    });
  }

  test('a port below 1024 without the capability: 5, and the capability', () => {
    const { code, stderr } = inGateway(['listen-test', '--port', '80'], { uid: 65534 });
    assert.equal(code, 5);
    assert.match(stderr, /CAP_NET_BIND_SERVICE, bind says EACCES/);
  });

  const PLACES: [string, RegExp][] = [
    ['198.51.100.77', /198\.51\.100\.77 is no address of this host; it has: .*192\.0\.2\.1/],
    ['2001:db8:9::9', /2001:db8:9::9 is no address of this host/],
    ['inside', /'inside' is an interface; give one of its addresses: 192\.0\.2\.1/],
    ['eth9', /'eth9' is neither an address nor an interface/],
    ['fe80::1%eth9', /there is no interface 'eth9'.*inside/],
    ['', /--address is empty/],
  ];
  for (const [address, sentence] of PLACES) {
    test(`--address '${address}': 2, and what it is instead`, () => {
      const { code, stderr, stdout } = inGateway(['listen-test', ...PORT, '--address', address]);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, sentence);
    });
  }
});

describe('without privilege', () => {
  test('--mechanism tproxy4: 5, and the capabilities', () => {
    const args = ['listen-test', ...PORT, '--mechanism', 'tproxy4'];
    const { code, stderr } = inGateway(args, { uid: 65534 });
    assert.equal(code, 5);
    assert.match(stderr, /CAP_NET_ADMIN or CAP_NET_RAW: setsockopt SOL_IPV6 IPV6_TRANSPARENT says EPERM/);
  });

  test('--spoof: 5, before anything is accepted', () => {
    const { code, stderr, stdout } = inGateway(['listen-test', ...PORT, '--relay', '--spoof'], {
      uid: 65534,
    });
    assert.equal(code, 5);
    assert.equal(stdout, '');
    assert.match(stderr, /--spoof .* CAP_NET_ADMIN or CAP_NET_RAW/);
  });

  test('REDIRECT is recognised all the same; that TPROXY cannot deliver is said', async () => {
    const listener = await ListenTest.start(native, lab.gateway, [...PORT, '--count', '1'], { uid: 65534 });
    assert.match(listener.listening?.notes[0] ?? '', /TPROXY cannot deliver here.*EPERM/);
    after(connectFrom(native, lab.client, SERVER[4], 80).close);
    assert.equal(await listener.exit(), 0);
    assert.deepEqual(listener.connections[0]?.original, { address: SERVER[4], port: 80 });
  });

  test('datagrams whose destination may not be asked for: 5', async () => {
    const udp = ['--protocol', 'udp', '--count', '1'];
    const listener = await ListenTest.start(native, lab.gateway, [...PORT, ...udp], { uid: 65534 });
    const { fd } = native.openSocket(4, 'udp', lab.client.netns);
    assert(fd !== null);
    after(() => void native.close(fd));
    native.send(fd, Buffer.from('x'), { address: GATEWAY[4], port: LISTENER_PORT });
    assert.equal(await listener.exit(), 5);
    assert.equal(listener.connections[0]?.verdict, 'denied');
    assert.equal(listener.summary.unknown, 1);
  });
});

describe('reports', () => {
  test('--jsonl: every line has the published shape', async () => {
    const listener = await tried(['--count', '1', '--reply', 'hello'], [SERVER[4]]);
    await listener.exit();
    assert.deepEqual(
      listener.events.map(({ event }) => event),
      ['listening', 'connection', 'closed', 'summary'],
    );
    for (const line of listener.events) assertSchema('listen-test-line', line);
    assert.deepEqual(listener.summary.bytes, { received: 0, sent: 5 });
  });

  test('--json: one document of the published shape', async () => {
    const { stdout, code } = await plain(['--json', '--count', '1'], () => isBound());
    assert.equal(code, 0);
    const document = JSON.parse(stdout);
    assertSchema('listen-test', document);
    assert.equal(document.connections[0].closed.ending, 'stopped');
  });

  test('for people: a line a connection, and the summary', async () => {
    const { stdout } = await plain(['--count', '1'], () => isBound());
    const [, head, line, empty, summary] = stdout.split('\n');
    assert.match(head ?? '', /^client +local +original destination +by +verdict$/);
    const local = `${GATEWAY[4]}:${LISTENER_PORT}`;
    assert.match(line ?? '', new RegExp(`^${CLIENT[4]}:\\d+ +${local} +${RIGHT} +netfilter +translated$`));
    assert.equal(empty, '');
    assert.match(summary ?? '', /^1 connection in [\d.]+ s: 1 intercepted, 0 direct, 0 mismatched; 0 bytes/);
  });
});

/** Runs it with one client, and without any option of `ListenTest`. */
async function plain(args: readonly string[], ready: () => boolean) {
  let stdout = '';
  const child: ChildProcess = native.inNamespace(lab.gateway.netns, () =>
    spawn(process.execPath, [RUN, 'listen-test', ...PORT, ...args], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const closed = once(child, 'close');
  await eventually(ready, () => 'the listener');
  after(connectFrom(native, lab.client, SERVER[4], 80).close);
  await closed;
  return { stdout, code: child.exitCode };
}

function isBound(): boolean {
  const { sockets } = native.sockets(6, 'tcp', lab.gateway.netns);
  return sockets.some(({ local, state }) => local.port === LISTENER_PORT && state === 10);
}
