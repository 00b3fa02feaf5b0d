/** Spoofed connections that work: the server sees the foreign address, and its answer comes back. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLIENT, GATEWAY } from '../../src/lab/lab.ts';
import type { StageName } from '../../src/spoof/report.ts';
import { eventually } from '../support/eventually.ts';
import { assertSchema } from '../support/schema.ts';
import { conversation, FAMILIES, native, patiently, scene, TCP_AND_UDP, target } from '../support/spoof.ts';

const UNPRIVILEGED = 65534;
/** net/tcp_states.h */
const SYN_SENT = 2;

for (const family of FAMILIES) {
  for (const protocol of TCP_AND_UDP) {
    test(`IPv${family} ${protocol}: the server sees the foreign address, and the answer comes back`, () =>
      scene(async (lab) => {
        lab.serve(family, protocol);
        lab.keepReplies();
        const { code, report, stderr } = await lab.connect(patiently(conversation(family, protocol)));
        assert.equal(code, 0, report.cause ?? stderr);
        assert.equal(report.verdict, 'spoofed');
        assert.equal(report.cause, null);
        assert.deepEqual(lab.seen, [text(report.source)]);
        assert.equal(report.source.address, CLIENT[family]);
        assert.equal(report.received, `ping for ${text(report.source)}`);
        const handshake: StageName[] = protocol === 'tcp' ? ['handshake'] : [];
        assert.deepEqual(
          report.stages.map(({ stage, verdict }) => [stage, verdict]),
          ['socket', 'option', 'control', 'bind', 'watch', 'connect', ...handshake, 'data'].map((stage) => [
            stage,
            'ok',
          ]),
        );
        const control = report.stages.find(({ stage }) => stage === 'control')?.steps.at(-1);
        assert.equal(control?.errorName, 'EADDRNOTAVAIL');
        assert(report.packets !== null);
        const [first, second] = report.packets;
        assert.deepEqual(
          [first?.interface, first?.direction, first?.from, second?.interface, second?.direction, second?.to],
          ['outside', 'out', report.source, 'outside', 'in', report.source],
        );
        assertSchema('spoof-connect', report);
      }));

    test(`IPv${family} ${protocol}: from a given port, twice`, () =>
      scene(async (lab) => {
        lab.serve(family, protocol);
        lab.keepReplies();
        const source = text({ address: CLIENT[family], port: 4321 });
        const [, , ...rest] = patiently(conversation(family, protocol));
        for (const _ of ['once', 'twice']) {
          const { code, report } = await lab.connect(['--source', source, ...rest]);
          assert.equal(code, 0, report.cause ?? '');
        }
        assert.deepEqual(lab.seen, [source, source]);
      }));
  }
}

function text({ address, port }: { address: string; port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

test('from another namespace: --netns', () =>
  scene(async (lab) => {
    lab.serve(4, 'tcp');
    lab.keepReplies();
    const args = [...conversation(4, 'tcp'), '--netns', lab.lab.gateway.path];
    const { code, report } = await lab.connect(args, { host: null });
    assert.equal(code, 0, report.cause ?? '');
    assert.deepEqual(lab.seen, [text(report.source)]);
  }));

test('a diagnosis is made in that namespace too', () =>
  scene(async (lab) => {
    lab.serve(4, 'tcp');
    lab.keepReplies({ localRoute: false });
    const args = [...conversation(4, 'tcp'), '--netns', lab.lab.gateway.path];
    const { code, report } = await lab.connect(args, { host: null });
    assert.equal(report.reason, 'no-local-route', report.cause ?? '');
    assert.equal(code, 3);
  }));

test('without a conversation: connected is enough', () =>
  scene(async (lab) => {
    lab.serve(4, 'tcp');
    lab.keepReplies();
    const { code, stdout } = await lab.run(['--source', CLIENT[4], target(4)]);
    assert.equal(code, 0);
    assert.match(stdout, /^ {2}handshake ok /m);
    assert.match(stdout, /^ {2}outside +in +syn-ack +198\.51\.100\.2:7 > 192\.0\.2\.2:[0-9]+$/m);
    assert.match(stdout, /^spoofed$/m);
  }));

describe('control: is the address foreign at all?', () => {
  for (const family of FAMILIES) {
    test(`IPv${family}: an own address proves nothing, and nothing is sent`, () =>
      scene(async (lab) => {
        lab.serve(family, 'tcp');
        const { code, report } = await lab.connect(['--source', GATEWAY[family], target(family)]);
        assert.equal(report.verdict, 'own-address');
        assert.equal(code, 3);
        assert.match(report.cause ?? '', /Nothing is proven.*on inside/);
        assert.equal(report.packets, null);
        assert.deepEqual(lab.seen, []);
        assertSchema('spoof-connect', report);
      }));
  }

  test('an address that a local route covers is an own one', () =>
    scene(async (lab) => {
      lab.lab.gateway.run('ip', ['route', 'add', 'local', '203.0.113.0/24', 'dev', 'lo']);
      const { report } = await lab.connect(['--source', '203.0.113.5', target(4)]);
      assert.equal(report.verdict, 'own-address');
      assert.match(report.cause ?? '', /a local route covers it/);
    }));

  test('ip_nonlocal_bind makes the control tell nothing, and the rest is tried', () =>
    scene(async (lab) => {
      lab.serve(4, 'tcp');
      lab.keepReplies();
      lab.lab.gateway.sysctl('net.ipv4.ip_nonlocal_bind', 1);
      const { code, report } = await lab.connect(conversation(4, 'tcp'));
      assert.equal(code, 0, report.cause ?? '');
      const control = report.stages.find(({ stage }) => stage === 'control');
      assert.match(control?.note ?? '', /ip_nonlocal_bind is set/);
    }));
});

describe('permission', () => {
  test('no capability: 5, and both that would do are named', () =>
    scene(async (lab) => {
      const { code, report } = await lab.connect(['--source', CLIENT[4], target(4)], { uid: UNPRIVILEGED });
      assert.equal(code, 5);
      assert.equal(report.verdict, 'denied');
      assert.match(report.cause ?? '', /CAP_NET_ADMIN or CAP_NET_RAW.*IP_TRANSPARENT says EPERM/);
      assertSchema('spoof-connect', report);
    }));

  const WITH_NET_ADMIN = [
    ...['setpriv', '--reuid', String(UNPRIVILEGED), '--regid', String(UNPRIVILEGED), '--clear-groups'],
    ...['--inh-caps', '+net_admin', '--ambient-caps', '+net_admin', '--'],
  ];

  test('CAP_NET_ADMIN alone: it connects, and says that it may not watch', () =>
    scene(async (lab) => {
      lab.serve(4, 'tcp');
      lab.keepReplies();
      const { code, report } = await lab.connect(conversation(4, 'tcp'), { prefix: WITH_NET_ADMIN });
      assert.equal(code, 0, report.cause ?? '');
      const watch = report.stages.find(({ stage }) => stage === 'watch');
      assert.equal(watch?.verdict, 'denied');
      assert.equal(watch?.steps.at(-1)?.errorName, 'EPERM');
      assert.equal(report.packets, null);
      assertSchema('spoof-connect', report);
    }));

  test('CAP_NET_ADMIN alone: no answer is not explained away', () =>
    scene(async (lab) => {
      lab.serve(4, 'tcp');
      const { code, report } = await lab.connect(conversation(4, 'tcp'), { prefix: WITH_NET_ADMIN });
      assert.equal(code, 6);
      assert.equal(report.verdict, 'unknown');
      assert.match(report.cause ?? '', /CAP_NET_RAW/);
    }));

  test('CAP_NET_RAW alone: it connects and watches; that it may not read the rules is said', () =>
    scene(async (lab) => {
      lab.serve(4, 'tcp');
      const prefix = WITH_NET_ADMIN.map((word) => word.replace('net_admin', 'net_raw'));
      const { code, report } = await lab.connect(conversation(4, 'tcp'), { prefix });
      assert.equal(code, 3);
      assert.equal(report.verdict, 'dropped-here');
      assert.equal(report.reason, 'rules-unread');
    }));

  test('a namespace that may not be entered: 5', () =>
    scene(async (lab) => {
      const args = ['--source', CLIENT[4], target(4), '--netns', '1'];
      const { code, stderr } = await lab.run(args, { host: null, uid: UNPRIVILEGED });
      assert.equal(code, 5, stderr);
    }));
});

test('Ctrl-C: 130 at once, and a word', () =>
  scene(async (lab) => {
    lab.lab.server.run('nft', [
      'add table inet t; add chain inet t in { type filter hook input priority 0; policy drop; }',
    ]);
    const interrupt = async (pid: number) => {
      const isWaiting = () =>
        lab.lab.gateway
          .within(() => native.sockets(4, 'tcp'))
          .sockets.some(({ state, local }) => state === SYN_SENT && local.address === CLIENT[4]);
      await eventually(isWaiting, () => 'the connection');
      process.kill(pid, 'SIGINT');
    };
    let interrupted: Promise<void> | null = null;
    const { code, stdout, stderr } = await lab.run(['--source', CLIENT[4], target(4), '--timeout', '3600'], {
      started: (pid) => {
        interrupted = interrupt(pid);
      },
    });
    await interrupted;
    assert.equal(code, 130);
    assert.equal(stdout, '');
    assert.equal(stderr, 'origdst spoof-connect: interrupted\n');
  }));

describe('data', () => {
  test('something else comes: 3, and what came is shown', () =>
    scene(async (lab) => {
      lab.serve(4, 'tcp');
      lab.keepReplies();
      const args = ['--source', CLIENT[4], target(4), '--send', 'ping', '--expect', 'pong', '--timeout', '1'];
      const { code, report } = await lab.connect(args);
      assert.equal(code, 3);
      assert.equal(report.verdict, 'unexpected-data');
      assert.equal(report.reason, 'other-data');
      assert.match(report.received ?? '', /^ping for 192\.0\.2\.2:/);
    }));

  test('nothing comes: 6', () =>
    scene(async (lab) => {
      lab.serve(4, 'tcp');
      lab.keepReplies();
      const args = ['--source', CLIENT[4], target(4), '--expect', 'banner', '--timeout', '1'];
      const { code, report } = await lab.connect(args);
      assert.equal(code, 6);
      assert.equal(report.reason, 'no-data');
    }));
});

test('a taken source port is named', () =>
  scene(async (lab) => {
    const { fd } = native.openSocket(4, 'tcp', lab.lab.gateway.netns);
    assert(fd !== null);
    try {
      native.bind(fd, { address: '0.0.0.0', port: 4321 });
      native.listen(fd, 1);
      const { code, report } = await lab.connect(['--source', `${CLIENT[4]}:4321`, target(4)]);
      assert.equal(report.reason, 'port-in-use');
      assert.equal(code, 3);
    } finally {
      native.close(fd);
    }
  }));

test('an address that no machine has', () =>
  scene(async (lab) => {
    lab.serve(4, 'udp');
    lab.keepReplies();
    const args = ['--source', '203.0.113.77', target(4), '--protocol', 'udp', '--send', 'x'];
    const { code, report } = await lab.connect(args);
    assert.equal(code, 0, report.cause ?? '');
    assert.match(lab.seen[0] ?? '', /^203\.0\.113\.77:/);
  }));
