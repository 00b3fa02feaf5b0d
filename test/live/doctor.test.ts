/**
 * Gateways that are broken on purpose: the doctor names the cause first, and once its remedy has run
 * as printed, the same traffic works.
 */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CLIENT, GATEWAY, SERVER, UPLINK } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import { Broken } from '../support/broken.ts';
import { origdst } from '../support/cli.ts';
import { fillConntrack } from '../support/conntrack.ts';
import { eventually } from '../support/eventually.ts';

const native = requireNative();
/** Other tests’ namespaces have rules for the usual ports, and the doctor looks into them. */
const PORT = 18_110;
const NAT = 'type nat hook prerouting priority dstnat;';
const MANGLE = 'type filter hook prerouting priority mangle;';
const REDIRECT = `tcp dport 80 redirect to :${PORT}`;
const TPROXY = `tcp dport 80 tproxy to :${PORT} meta mark set 1 accept`;
const ASKED = ['--port', String(PORT)];
const FOR_CLIENT = [...ASKED, '--source', CLIENT[4], '--destination', `${SERVER[4]}:80`];
const SPOOF = ['--source', CLIENT[4], '--destination', `${SERVER[4]}:80`];

function scene(run: (broken: Broken) => void): () => void {
  return () => {
    const broken = new Broken(native);
    try {
      run(broken);
    } finally {
      broken.close();
    }
  };
}

function routeMarked(
  { lab }: Broken,
  families: readonly (4 | 6)[] = [4, 6],
  mark = '1',
  table = '100',
): void {
  for (const family of families) {
    lab.gateway.run('ip', [`-${family}`, 'rule', 'add', 'fwmark', mark, 'lookup', table]);
    lab.gateway.run('ip', [`-${family}`, 'route', 'add', 'local', 'default', 'dev', 'lo', 'table', table]);
  }
}

/** Names the cause first, mends it, and the connection arrives. */
function mends(
  broken: Broken,
  listener: number,
  id: string,
  args: string[] = ASKED,
  family: 4 | 6 = 4,
): void {
  assert(!broken.arrives(listener, false, family), 'the topology is not broken');
  const problem = broken.first(id, ...args);
  broken.mend(problem);
  assert(broken.arrives(listener, true, family), `“${problem.remedy}” did not mend it`);
  const { diagnosis } = broken.doctor(...args);
  assert(!diagnosis.problems.some((one) => one.id === id && one.family === problem.family), 'still reported');
}

test('a gateway in order: nothing is amiss', () => {
  scene((broken) => {
    broken.chain(MANGLE, TPROXY);
    routeMarked(broken);
    const listener = broken.listen(PORT, { transparent: true });
    assert(broken.arrives(listener, true));
    const { code, diagnosis } = broken.doctor(...ASKED);
    assert.deepEqual(
      diagnosis.problems.filter(({ severity }) => severity !== 'info'),
      [],
    );
    assert.equal(code, 0);
  })();
});

describe('rules', () => {
  test(
    'no rule',
    scene((broken) => mends(broken, broken.listen(PORT), 'no-rule')),
  );

  test(
    'no rule, for a transparent listener',
    scene((broken) => mends(broken, broken.listen(PORT, { transparent: true }), 'no-rule')),
  );

  test(
    'a rule that sends to another port',
    scene((broken) => {
      broken.chain(NAT, 'tcp dport 80 redirect to :3128');
      mends(broken, broken.listen(PORT), 'rule-other-target');
    }),
  );

  test(
    'the same by iptables-legacy',
    scene((broken) => {
      const rule = ['-p', 'tcp', '--dport', '80', '-j', 'REDIRECT', '--to-ports', '3128'];
      broken.lab.gateway.run('iptables-legacy', ['-w', '-t', 'nat', '-A', 'PREROUTING', ...rule]);
      mends(broken, broken.listen(PORT), 'rule-other-target');
    }),
  );

  test(
    'words that a shell would run are quoted in a remedy',
    scene((broken) => {
      const comment = `it's "$(touch \${TMPDIR:-/tmp}/origdst-injected)" --to-ports 1`;
      const rule = ['-p', 'tcp', '-m', 'comment', '--comment', comment, '--dport', '80'];
      const target = ['-j', 'REDIRECT', '--to-ports', '3128'];
      broken.lab.gateway.run('iptables-legacy', ['-w', '-t', 'nat', '-A', 'PREROUTING', ...rule, ...target]);
      mends(broken, broken.listen(PORT), 'rule-other-target');
      assert(!existsSync(join(tmpdir(), 'origdst-injected')));
      const [after] =
        broken.lab.gateway.run('iptables-legacy-save', ['-t', 'nat']).match(/--comment .*/) ?? [];
      assert.match(after ?? '', /touch .* --to-ports 18110$/);
    }),
  );

  test(
    'the same by iptables-nft',
    scene((broken) => {
      const rule = [
        '-p',
        'tcp',
        '-m',
        'multiport',
        '--dports',
        '80,81',
        '-j',
        'REDIRECT',
        '--to-ports',
        '3128',
      ];
      broken.lab.gateway.run('iptables-nft', ['-w', '-t', 'nat', '-A', 'PREROUTING', ...rule]);
      mends(broken, broken.listen(PORT), 'rule-other-target');
    }),
  );

  for (const [name, rule] of [
    ['redirect', 'tcp dport 8080 redirect to :18110'],
    ['a set', 'tcp dport { 8080, 8443 } redirect to :18110'],
  ] as const) {
    test(
      `a rule for another port (${name})`,
      scene((broken) => {
        broken.chain(NAT, rule);
        mends(broken, broken.listen(PORT), 'rule-other-port', FOR_CLIENT);
      }),
    );
  }

  test(
    'a rule in another namespace',
    scene((broken) => {
      const port = 18_111;
      broken.lab.server.run(
        'nft',
        ['-f', '-'],
        `table ip t {\nchain pre {\n${NAT}\ntcp dport 80 redirect to :${port}\n}\n}\n`,
      );
      const holder = broken.hold(broken.lab.server);
      try {
        const listener = broken.listen(port);
        mends(broken, listener, 'rule-other-namespace', ['--port', String(port)]);
      } finally {
        holder.kill('SIGKILL');
      }
    }),
  );

  test(
    'a rule that is never reached',
    scene((broken) => {
      broken.chain(NAT, 'tcp dport 1-1024 accept', REDIRECT);
      mends(broken, broken.listen(PORT), 'rule-shadowed');
    }),
  );

  test(
    'only one family has a rule',
    scene((broken) => {
      broken.nft('table ip t {', 'chain pre {', NAT, REDIRECT, '}', '}');
      mends(broken, broken.listen(PORT), 'rule-one-family', ASKED, 6);
    }),
  );

  test(
    'legacy and nft mixed',
    scene((broken) => {
      const rule = ['-p', 'tcp', '--dport', '80', '-j', 'REDIRECT', '--to-ports', '3128'];
      broken.chain(NAT, REDIRECT);
      broken.lab.gateway.run('iptables-legacy', ['-w', '-t', 'nat', '-A', 'PREROUTING', ...rule]);
      mends(broken, broken.listen(PORT), 'mixed-backends');
    }),
  );

  test(
    'a firewall that drops what was redirected',
    scene((broken) => {
      broken.chain(NAT, REDIRECT);
      broken.nft(
        'table inet fw {',
        'chain in {',
        'type filter hook input priority 0; policy drop;',
        'ct state established accept',
        'tcp dport 22 accept',
        '}',
        '}',
      );
      mends(broken, broken.listen(PORT), 'firewall');
    }),
  );
});

describe('policy routes of TPROXY', () => {
  for (const family of [4, 6] as const) {
    test(
      `IPv${family}: no ip rule`,
      scene((broken) => {
        broken.chain(MANGLE, TPROXY);
        const other = family === 4 ? 6 : 4;
        routeMarked(broken, [other]);
        broken.lab.gateway.run('ip', [
          `-${family}`,
          'route',
          'add',
          'local',
          'default',
          'dev',
          'lo',
          'table',
          '100',
        ]);
        const listener = broken.listen(PORT, { transparent: true });
        mends(broken, listener, 'no-policy-rule', ASKED, family);
      }),
    );

    test(
      `IPv${family}: no local route`,
      scene((broken) => {
        broken.chain(MANGLE, TPROXY);
        routeMarked(broken, [family === 4 ? 6 : 4]);
        broken.lab.gateway.run('ip', [`-${family}`, 'rule', 'add', 'fwmark', '1', 'lookup', '100']);
        const listener = broken.listen(PORT, { transparent: true });
        mends(broken, listener, 'no-local-route', ASKED, family);
      }),
    );

    test(
      `only the other family is set up (IPv${family} is not)`,
      scene((broken) => {
        broken.chain(MANGLE, TPROXY);
        routeMarked(broken, [family === 4 ? 6 : 4]);
        mends(broken, broken.listen(PORT, { transparent: true }), 'no-policy-rule', ASKED, family);
      }),
    );
  }

  test(
    'another mark',
    scene((broken) => {
      broken.chain(MANGLE, TPROXY);
      routeMarked(broken, [6]);
      routeMarked(broken, [4], '2');
      mends(broken, broken.listen(PORT, { transparent: true }), 'policy-mark');
    }),
  );

  test(
    'another mask, by iptables-legacy',
    scene((broken) => {
      const rule = [
        '-p',
        'tcp',
        '--dport',
        '80',
        '-j',
        'TPROXY',
        '--on-port',
        `${PORT}`,
        '--tproxy-mark',
        '0x10/0x10',
      ];
      broken.lab.gateway.run('iptables-legacy', ['-w', '-t', 'mangle', '-A', 'PREROUTING', ...rule]);
      routeMarked(broken, [4], '0x1/0xf');
      mends(broken, broken.listen(PORT, { transparent: true }), 'policy-mark');
    }),
  );

  test(
    'a rule that sets no mark',
    scene((broken) => {
      broken.chain(MANGLE, `tcp dport 80 tproxy to :${PORT} accept`);
      routeMarked(broken);
      mends(broken, broken.listen(PORT, { transparent: true }), 'tproxy-without-mark');
    }),
  );

  test(
    'an ip rule behind the main table',
    scene((broken) => {
      broken.chain(MANGLE, TPROXY);
      const { gateway } = broken.lab;
      routeMarked(broken, [6]);
      gateway.ip(
        `route add default via ${SERVER[4]}`,
        'rule add fwmark 1 lookup 100 priority 40000',
        'route add local default dev lo table 100',
      );
      mends(broken, broken.listen(PORT, { transparent: true }), 'policy-rule-late');
    }),
  );
});

describe('listeners', () => {
  test(
    'without the option',
    scene((broken) => {
      broken.chain(MANGLE, TPROXY);
      routeMarked(broken);
      mends(broken, broken.listen(PORT), 'listener-not-transparent');
    }),
  );

  test(
    'without the option, by iptables-legacy, which drops',
    scene((broken) => {
      const rule = [
        '-p',
        'tcp',
        '--dport',
        '80',
        '-j',
        'TPROXY',
        '--on-port',
        `${PORT}`,
        '--tproxy-mark',
        '1',
      ];
      broken.lab.gateway.run('iptables-legacy', ['-w', '-t', 'mangle', '-A', 'PREROUTING', ...rule]);
      routeMarked(broken, [4]);
      mends(broken, broken.listen(PORT), 'listener-not-transparent');
    }),
  );

  for (const [mechanism, head, rule] of [
    ['REDIRECT', NAT, REDIRECT],
    ['TPROXY', MANGLE, TPROXY],
  ] as const) {
    test(`none (${mechanism})`, async () => {
      const broken = new Broken(native);
      try {
        broken.chain(head, rule);
        routeMarked(broken);
        const problem = broken.first('no-listener', ...ASKED);
        // The remedy runs until it is stopped, so that it is not waited for.
        const started = broken.start(problem);
        try {
          await eventually(
            () => broken.doctor(...ASKED).code === 0,
            () => `a listener by “${problem.remedy}”`,
          );
          assert(broken.connects(SERVER[4], 80));
        } finally {
          await started.stop();
        }
      } finally {
        broken.close();
      }
    });
  }

  test(
    'none here, but one in another namespace: it is named',
    scene((broken) => {
      broken.chain(NAT, REDIRECT);
      broken.listen(PORT, { host: broken.lab.server });
      const holder = broken.hold(broken.lab.server);
      try {
        assert.match(broken.first('no-listener', ...ASKED).cause, /Namespace \d+ has one/);
      } finally {
        holder.kill('SIGKILL');
      }
    }),
  );

  for (const tool of ['nft', 'iptables-legacy'] as const) {
    test(
      `REDIRECT to a loopback-only one (${tool})`,
      scene((broken) => {
        const rule = ['-p', 'tcp', '--dport', '80', '-j', 'REDIRECT', '--to-ports', `${PORT}`];
        if (tool === 'nft') broken.nft('table ip t {', 'chain pre {', NAT, REDIRECT, '}', '}');
        else broken.lab.gateway.run(tool, ['-w', '-t', 'nat', '-A', 'PREROUTING', ...rule]);
        mends(broken, broken.listen(PORT, { address: '127.0.0.1' }), 'listener-loopback-only');
        const neighbour = broken.listen(9000, { address: '127.0.0.1' });
        assert(!broken.arrives(neighbour, false, 4, 9000), 'other services of loopback stay closed');
      }),
    );
  }

  test(
    'TPROXY to a loopback-only one',
    scene((broken) => {
      broken.nft('table ip t {', 'chain pre {', MANGLE, TPROXY, '}', '}');
      routeMarked(broken);
      const listener = broken.listen(PORT, { address: '127.0.0.1', transparent: true });
      mends(broken, listener, 'listener-loopback-only');
    }),
  );

  test(
    'DNAT to loopback without route_localnet',
    scene((broken) => {
      broken.chain(NAT, `tcp dport 80 dnat ip to 127.0.0.1:${PORT}`);
      mends(broken, broken.listen(PORT, { address: '127.0.0.1' }), 'route-localnet');
    }),
  );
});

describe('other protocols', () => {
  test(
    'UDP: its own rules, its own listeners',
    scene((broken) => {
      broken.chain(MANGLE, `udp dport 53 tproxy to :${PORT} meta mark set 1 accept`);
      const udp = [...ASKED, '--protocol', 'udp'];
      assert.equal(broken.first('no-policy-rule', ...udp).family, 4);
      routeMarked(broken);
      assert.match(broken.first('no-listener', ...udp).remedy, / --mechanism tproxy4 --protocol udp /);
      const { fd } = native.openSocket(6, 'udp', broken.lab.gateway.netns);
      assert(fd !== null);
      try {
        native.bind(fd, { address: '::', port: PORT });
        broken.first('listener-not-transparent', ...udp);
        broken.makeTransparent(fd, 6);
        assert.equal(broken.doctor(...udp).code, 0);
      } finally {
        native.close(fd);
      }
      broken.first('no-rule', ...ASKED, '--protocol', 'tcp', '--source', CLIENT[4]);
    }),
  );

  test(
    'a listener of Multipath TCP: said, and no error',
    scene((broken) => {
      broken.chain(NAT, REDIRECT);
      const { fd } = native.openSocket(6, 'mptcp', broken.lab.gateway.netns);
      assert(fd !== null);
      try {
        native.bind(fd, { address: '::', port: PORT });
        native.listen(fd, 8);
        const { code, diagnosis } = broken.doctor(...ASKED);
        assert.equal(code, 0);
        assert(diagnosis.problems.some(({ id, severity }) => id === 'mptcp-listener' && severity === 'info'));
      } finally {
        native.close(fd);
      }
    }),
  );
});

describe('kernel parameters', () => {
  test(
    'src_valid_mark',
    scene((broken) => {
      broken.chain(MANGLE, TPROXY);
      routeMarked(broken);
      broken.lab.gateway.sysctl('net.ipv4.conf.all.src_valid_mark', 1);
      mends(broken, broken.listen(PORT, { transparent: true }), 'src-valid-mark');
    }),
  );

  /** The client's packets come in by `inside`; the answers leave by a second link to it. */
  const asymmetric = ({ lab: { gateway, client } }: Broken) => {
    gateway.sysctl('net.ipv4.conf.inside.rp_filter', 1);
    gateway.ip(`link add other type veth peer name eth1 netns ${client.path}`, 'link set other up');
    client.ip('link set eth1 up');
    gateway.ip(`route add ${CLIENT[4]}/32 dev other`);
  };

  test(
    'rp_filter strict with an asymmetric route',
    scene((broken) => {
      broken.chain(NAT, REDIRECT);
      asymmetric(broken);
      mends(broken, broken.listen(PORT), 'rp-filter', [...ASKED, '--source', CLIENT[4]]);
    }),
  );

  test(
    'the same behind a router, told by what the kernel counted',
    scene((broken) => {
      broken.chain(MANGLE, TPROXY);
      routeMarked(broken);
      asymmetric(broken);
      // A router asks for the gateway's hardware address in its own name.
      const { gateway, client } = broken.lab;
      const mac = JSON.parse(gateway.run('ip', ['-j', 'link', 'show', 'inside']))[0].address;
      client.ip(`neighbour replace ${GATEWAY[4]} lladdr ${mac} dev eth0 nud permanent`);
      const listener = broken.listen(PORT, { transparent: true });
      assert(!broken.arrives(listener, false), 'the topology is not broken');
      const problem = broken.first('rp-filter', ...ASKED);
      assert.match(problem.cause, /has dropped \d+ packets/);
      broken.mend(problem);
      assert(broken.arrives(listener, true));
    }),
  );
});

describe('connection tracking', () => {
  const RAW = 'type filter hook prerouting priority raw;';
  test(
    'NOTRACK',
    scene((broken) => {
      broken.chain(NAT, REDIRECT);
      broken.nft('table inet r {', 'chain pre {', RAW, 'tcp dport 80 notrack', '}', '}');
      mends(broken, broken.listen(PORT), 'not-tracked');
    }),
  );

  test(
    'NOTRACK, by iptables-legacy',
    scene((broken) => {
      const { gateway } = broken.lab;
      const rule = ['-p', 'tcp', '--dport', '80', '-j', 'CT', '--notrack'];
      gateway.run('iptables-legacy', ['-w', '-t', 'raw', '-A', 'PREROUTING', ...rule]);
      broken.chain(NAT, REDIRECT);
      mends(broken, broken.listen(PORT), 'not-tracked');
    }),
  );

  test(
    'a zone',
    scene((broken) => {
      broken.chain(NAT, REDIRECT);
      broken.nft(
        ...['table inet r {', 'chain pre {', RAW, 'tcp dport 80 ct zone set 7', '}'],
        ...['chain out {', RAW.replace('prerouting', 'output'), `tcp sport ${PORT} ct zone set 7`, '}', '}'],
      );
      const listener = broken.listen(PORT, { address: '0.0.0.0' });
      assert(broken.arrives(listener, true));
      assert.equal(broken.original(listener), null, 'the topology is not broken');
      broken.mend(broken.first('other-zone', ...ASKED));
      assert.equal(broken.original(listener), SERVER[4]);
    }),
  );
});

test(
  'the conntrack table is full',
  scene((broken) => {
    broken.chain(NAT, REDIRECT);
    const listener = broken.listen(PORT);
    const max = Number(readFileSync('/proc/sys/net/netfilter/nf_conntrack_max', 'utf8'));
    fillConntrack(native, broken.lab.gateway.netns, max);
    assert(!broken.arrives(listener, false), 'the topology is not broken');
    broken.mend(broken.first('conntrack-full', ...ASKED));
    assert(broken.arrives(listener, true));
    // The kernel still counts the packets that it dropped: worth a word, but no error any more.
    const after = broken.doctor(...ASKED).diagnosis.problems.find(({ id }) => id === 'conntrack-full');
    assert.equal(after?.severity, 'warning');
  }),
);

describe('spoofed connections', () => {
  test(
    'no socket rule for the replies',
    scene((broken) => {
      routeMarked(broken);
      broken.listen(80, { host: broken.lab.server });
      const waiting = broken.spoof();
      assert(!broken.isAnswered(waiting, false), 'the topology is not broken');
      broken.mend(broken.first('no-socket-rule', ...SPOOF));
      assert(broken.isAnswered(broken.spoof(), true));
    }),
  );

  test(
    'no socket rule and no policy route: asked without a connection',
    scene((broken) => {
      broken.listen(80, { host: broken.lab.server });
      broken.mend(broken.first('no-socket-rule', ...SPOOF));
      assert(broken.isAnswered(broken.spoof(), true));
      assert.equal(broken.doctor(...SPOOF).code, 0);
    }),
  );

  test(
    'a socket rule whose mark no policy route takes',
    scene((broken) => {
      broken.chain(MANGLE, 'meta l4proto tcp socket transparent 1 meta mark set 1 accept');
      routeMarked(broken, [4], '2');
      broken.listen(80, { host: broken.lab.server });
      broken.mend(broken.first('policy-mark', ...SPOOF));
      assert(broken.isAnswered(broken.spoof(), true));
    }),
  );

  test(
    'src_valid_mark drops the replies',
    scene((broken) => {
      broken.chain(MANGLE, 'meta l4proto tcp socket transparent 1 meta mark set 1 accept');
      routeMarked(broken);
      broken.lab.gateway.sysctl('net.ipv4.conf.all.src_valid_mark', 1);
      broken.listen(80, { host: broken.lab.server });
      assert(!broken.isAnswered(broken.spoof(), false), 'the topology is not broken');
      broken.mend(broken.first('src-valid-mark', ...SPOOF));
      assert(broken.isAnswered(broken.spoof(), true));
    }),
  );

  test(
    'replies are routed around the gateway',
    scene((broken) => {
      const { gateway, server, client } = broken.lab;
      broken.chain(MANGLE, 'meta l4proto tcp socket transparent 1 meta mark set 1 accept');
      routeMarked(broken);
      // A second link joins the server and the client directly, and the server prefers it.
      server.ip(`link add direct type veth peer name direct netns ${client.path}`, 'link set direct up');
      client.ip('link set direct up');
      server.ip(`route add ${CLIENT[4]}/32 dev direct`);
      broken.listen(80, { host: server });
      assert(!broken.isAnswered(broken.spoof(), false), 'the topology is not broken');
      const problem = broken.first('reply-bypass', ...SPOOF);
      assert.match(problem.remedy, new RegExp(`via ${UPLINK[4]} `));
      broken.mend(problem, server);
      assert(broken.isAnswered(broken.spoof(), true));
      assert(gateway.name === 'gateway');
    }),
  );

  test(
    'client and server on the same link',
    scene((broken) => {
      broken.chain(MANGLE, 'meta l4proto tcp socket transparent 1 meta mark set 1 accept');
      routeMarked(broken);
      const problem = broken.first(
        'reply-bypass',
        ...['--source', '198.51.100.77', '--destination', `${SERVER[4]}:80`],
      );
      assert.match(problem.cause, /both reached by outside/);
    }),
  );
});

describe('the proxy’s own connections', () => {
  test(
    'a loop',
    scene((broken) => {
      const { gateway, server } = broken.lab;
      broken.nft(
        ...['table inet t {', 'chain pre {', NAT, REDIRECT, '}'],
        ...['chain out {', 'type nat hook output priority -100;', REDIRECT, '}', '}'],
      );
      const listener = broken.listen(PORT);
      const upstream = broken.listen(80, { host: server });
      const connects = (to: number, expected: boolean) => broken.arrives(to, expected, 4, 80, gateway);
      assert(!connects(upstream, false), 'the topology is not broken');
      const warned = broken.first('self-loop', ...ASKED);
      assert.equal(warned.severity, 'warning', 'a proxy that does not connect further is in order');
      // Now the proxy does connect further, and is connected to itself.
      native.connect(broken.socket(gateway, 4), { address: SERVER[4], port: 80 });
      assert.deepEqual(native.poll([listener], 'read', 5000), [listener]);
      const problem = broken.first('self-loop', ...ASKED);
      assert.equal(problem.severity, 'error');
      broken.mend(problem);
      assert(connects(upstream, true));
      assert(broken.arrives(listener, true), 'clients are still intercepted');
    }),
  );
});

describe('bridges', () => {
  const REACHED = '192.0.2.3';
  const BRIDGED = ['--source', CLIENT[4], '--destination', `${REACHED}:80`];

  /** Client and server on one network, and the gateway is the bridge between them. */
  const bridged = ({ lab: { gateway, server } }: Broken, calls: number) => {
    gateway.ip(
      'address flush dev inside',
      'address flush dev outside',
      'link add br0 type bridge',
      'link set inside master br0',
      'link set outside master br0',
      'link set br0 up',
      `address add ${GATEWAY[4]}/24 dev br0`,
    );
    server.ip('address flush dev eth0', `address add ${REACHED}/24 dev eth0`);
    gateway.sysctl('net.bridge.bridge-nf-call-iptables', calls);
  };

  test(
    'REDIRECT without br_netfilter',
    scene((broken) => {
      broken.chain(NAT, REDIRECT);
      bridged(broken, 0);
      const listener = broken.listen(PORT);
      const arrives = (expected: boolean) =>
        broken.arrives(listener, expected, 4, 80, broken.lab.client, REACHED);
      assert(!arrives(false), 'the topology is not broken');
      broken.mend(broken.first('bridge-netfilter', ...ASKED, ...BRIDGED));
      assert(arrives(true));
    }),
  );

  for (const calls of [0, 1]) {
    test(
      `TPROXY of bridged frames (bridge-nf-call-iptables ${calls})`,
      scene((broken) => {
        broken.chain(MANGLE, TPROXY);
        routeMarked(broken);
        bridged(broken, calls);
        const listener = broken.listen(PORT, { transparent: true });
        const arrives = (expected: boolean) =>
          broken.arrives(listener, expected, 4, 80, broken.lab.client, REACHED);
        assert(!arrives(false), 'the topology is not broken');
        broken.mend(broken.first('bridge-tproxy', ...ASKED, ...BRIDGED));
        assert(arrives(true));
      }),
    );
  }
});

describe('what may not be read', () => {
  test(
    'no capability: said first, and nothing is guessed',
    scene((broken) => {
      const { code, diagnosis } = broken.doctorAs(65534, ...ASKED);
      const [problem] = diagnosis.problems;
      assert.equal(problem?.id, 'no-capability');
      assert.equal(problem?.certainty, 'unknown');
      assert(problem?.evidence.some(({ errorName }) => errorName === 'EPERM'));
      assert.equal(problem?.remedy, `sudo origdst doctor --port ${PORT}`);
      assert.equal(code, 5);
      const found = diagnosis.problems.filter(({ certainty }) => certainty === 'found');
      assert.deepEqual(
        found.filter(({ severity }) => severity === 'error'),
        [],
      );
      // The remedy is the same question, asked by root.
      mends(broken, broken.listen(PORT), 'no-rule');
    }),
  );

  test(
    'no tool: said, and no rule is denied',
    scene((broken) => {
      const { code, diagnosis } = broken.doctorWith({ PATH: '/nonexistent' }, ...ASKED);
      assert.deepEqual(
        diagnosis.problems
          .filter(({ severity }) => severity !== 'info')
          .map(({ id, certainty }) => [id, certainty]),
        [
          ['unreadable', 'unknown'],
          ['unreadable', 'unknown'],
        ],
      );
      assert.deepEqual(
        diagnosis.problems.slice(0, 2).map(({ remedy }) => remedy),
        ['apt-get install nftables', 'apt-get install iproute2'],
      );
      assert.equal(code, 4);
    }),
  );
});

test(
  'another namespace by --netns: the same answer, and its remedies are for it',
  scene((broken) => {
    const args = [...ASKED, '--netns', broken.lab.gateway.path];
    const ran = origdst(['doctor', ...args]);
    assert.match(ran.stdout, /^error {2}no-rule\n/);
    assert.match(ran.stdout, /nsenter --net=/);
    assert.equal(ran.code, 3);
  }),
);

test(
  '--severity: what counts as a problem',
  scene((broken) => {
    broken.nft('table ip t {', 'chain pre {', NAT, REDIRECT, '}', '}');
    broken.listen(PORT);
    assert.equal(broken.doctor(...ASKED).code, 0);
    assert.equal(broken.doctor(...ASKED, '--severity', 'warning').code, 3);
  }),
);
