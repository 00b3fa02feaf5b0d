/** The doctor’s conclusions from readings of hosts that a test may not turn this one into. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { diagnose, type Problem, type Request } from '../../src/diagnosis/doctor.ts';
import type { Readings } from '../../src/diagnosis/readings.ts';
import { parseIptables } from '../../src/host/iptables-rules.ts';
import type { PolicyRule, Route } from '../../src/host/policy-routes.ts';
import { type HostSocket, requireNative } from '../../src/native.ts';
import type { Step } from '../../src/verdict.ts';

const read: Step = { call: 'read', target: 'recorded', result: 0, errno: null, errorName: null, detail: '' };

interface Host {
  rules?: string[];
  policy?: Partial<PolicyRule>[];
  routes?: Partial<Route>[];
  sysctls?: Record<string, number>;
  netstat?: Record<string, number>;
  conntrack?: Record<string, number>;
  sockets?: HostSocket[];
}

const MAIN: Partial<PolicyRule> = { priority: 32_766, table: 'main' };
const DEFAULT: Partial<Route> = { prefix: '0.0.0.0/0', length: 0, dev: 'eth0', gateway: '192.0.2.254' };
const LOCAL: Partial<Route> = { table: '100', type: 'local', prefix: '0.0.0.0/0', length: 0, dev: 'lo' };
const TPROXY = [
  '*mangle',
  ':PREROUTING ACCEPT [0:0]',
  '-A PREROUTING -p tcp -m tcp --dport 80 -j TPROXY --on-port 3129 --on-ip 0.0.0.0 --tproxy-mark 0x1/0x1',
  'COMMIT',
];

function host({ rules = [], policy = [MAIN], routes = [DEFAULT], sysctls = {}, ...rest }: Host): Readings {
  const listing = parseIptables('iptables-legacy', rules.join('\n'));
  const counters = (values: Record<string, number> = {}) => ({
    values: new Map(Object.entries(values)),
    step: read,
  });
  return {
    rules: { ...listing, steps: [read], unread: [] },
    links: {
      links: [
        {
          name: 'eth0',
          up: true,
          address: '',
          kind: '',
          master: null,
          addresses: [{ family: 4, address: '192.0.2.1', length: 24 }],
        },
      ],
      steps: [read],
    },
    netstat: counters(rest.netstat),
    conntrack: counters(rest.conntrack),
    capabilities: [],
    cgroupPrograms: { programs: [], refused: null },
    routing: (family) => ({
      rules: family === 4 ? policy.map(policyRule) : [],
      routes: family === 4 ? routes.map(route) : [],
      steps: [read],
      unread: [],
    }),
    sockets: () => ({ sockets: rest.sockets ?? [listening(3129)], steps: [read] }),
    sysctl: (name) => ({ value: sysctls[name] ?? null, fixed: false, step: read }),
    interfaces: () => ['eth0', 'lo'],
  };
}

function policyRule(known: Partial<PolicyRule>): PolicyRule {
  const none = { mark: null, src: null, dst: null, iif: null, oif: null, suppress: null };
  return { priority: 0, table: 'main', ...none, negated: false, other: false, action: 'lookup', ...known };
}

function route(known: Partial<Route>): Route {
  return {
    table: 'main',
    type: 'unicast',
    prefix: '',
    length: 0,
    dev: null,
    gateway: null,
    source: null,
    ...known,
  };
}

function listening(port: number): HostSocket {
  return {
    family: 4,
    protocol: 'tcp',
    state: 10,
    transparent: true,
    uid: 0,
    inode: 1,
    opened: false,
    local: { address: '0.0.0.0', port, family: 4 },
    peer: { address: '0.0.0.0', port: 0, family: 4 },
  };
}

function problems(readings: Host, request: Request = { port: 3129 }): Problem[] {
  return diagnose(requireNative(), host(readings), request).problems.filter(
    ({ severity }) => severity !== 'info',
  );
}

const ids = (...args: Parameters<typeof problems>) =>
  problems(...args).map(({ id, severity }) => `${severity} ${id}`);

const MARKED: Partial<PolicyRule> = { priority: 100, table: '100', mark: { value: 1, mask: 0xffffffff } };
const IN_ORDER: Host = { rules: TPROXY, policy: [MARKED, MAIN], routes: [DEFAULT, LOCAL] };

test('a host in order', () => assert.deepEqual(ids(IN_ORDER), []));

describe('the table of connection tracking', () => {
  const COUNT = 'net/netfilter/nf_conntrack_count';
  const MAX = 'net/netfilter/nf_conntrack_max';

  test('full: the cause, before all others', () => {
    const full = { ...IN_ORDER, policy: [MAIN], sysctls: { [COUNT]: 65_536, [MAX]: 65_536 } };
    assert.deepEqual(ids(full), ['error conntrack-full', 'error no-policy-rule']);
    const [problem] = problems(full);
    assert.match(problem?.cause ?? '', /65536 of 65536/);
    assert.equal(problem?.remedy.split('   #')[0], 'sysctl -w net.netfilter.nf_conntrack_max=131072');
  });

  test('nearly full, and full a while ago: warnings', () => {
    const count = (value: number) => ({ sysctls: { [COUNT]: value, [MAX]: 1000 } });
    assert.deepEqual(ids({ ...IN_ORDER, ...count(900) }), ['warning conntrack-full']);
    assert.deepEqual(ids({ ...IN_ORDER, ...count(899) }), []);
    assert.deepEqual(ids({ ...IN_ORDER, ...count(10), conntrack: { drop: 3 } }), ['warning conntrack-full']);
  });

  test('not there: nothing is said', () => assert.deepEqual(ids({ ...IN_ORDER, sysctls: {} }), []));
});

describe('reverse-path filtering', () => {
  const STRICT = { 'net/ipv4/conf/all/rp_filter': 1, 'net/ipv4/conf/eth0/rp_filter': 0 };
  const DROPPED = { IPReversePathFilter: 1523 };

  test('strangers’ packets are counted too: a count is the cause only where nothing else is', () => {
    assert.deepEqual(ids({ ...IN_ORDER, sysctls: STRICT, netstat: DROPPED }), ['error rp-filter']);
    assert.deepEqual(ids({ ...IN_ORDER, policy: [MAIN], sysctls: STRICT, netstat: DROPPED }), [
      'error no-policy-rule',
      'warning rp-filter',
    ]);
  });

  test('the greater of all and the interface counts: 2 is loose', () => {
    const loose = { ...STRICT, 'net/ipv4/conf/eth0/rp_filter': 2 };
    assert.deepEqual(ids({ ...IN_ORDER, sysctls: loose, netstat: DROPPED }), []);
  });
});

describe('policy routes beside those of others', () => {
  test('wg-quick’s rules before ours: the packets go into the tunnel', () => {
    const wireguard = [
      { priority: 100, table: 'main', suppress: 0 },
      { priority: 101, table: '51820', mark: { value: 0xca6c, mask: 0xffffffff }, negated: true },
      { ...MARKED, priority: 200 },
      MAIN,
    ];
    const routes = [DEFAULT, LOCAL, { ...DEFAULT, table: '51820', dev: 'wg0' }];
    const [problem] = problems({ ...IN_ORDER, policy: wireguard, routes });
    assert.equal(problem?.id, 'policy-rule-late');
    assert.equal(
      problem?.remedy,
      'ip rule del fwmark 0x1 lookup 100 && ip rule add fwmark 0x1 lookup 100 priority 100',
    );
  });

  test('wg-quick’s rules behind ours', () => {
    const wireguard = [
      { ...MARKED, priority: 50 },
      { priority: 101, table: '51820', mark: { value: 0xca6c, mask: 0xffffffff }, negated: true },
      MAIN,
    ];
    assert.deepEqual(ids({ ...IN_ORDER, policy: wireguard }), []);
  });

  test('a rule that depends on the interface is not judged', () => {
    assert.deepEqual(ids({ ...IN_ORDER, policy: [{ ...MARKED, iif: 'eth0' }, MAIN] }), []);
  });

  test('a local route for some destinations is not judged without a destination', () => {
    const some = { ...LOCAL, prefix: '198.51.100.0/24', length: 24 };
    assert.deepEqual(ids({ ...IN_ORDER, routes: [DEFAULT, some] }), []);
    const destination = (address: string) => ({ port: 3129, destination: { address, port: 80 } });
    assert.deepEqual(ids({ ...IN_ORDER, routes: [DEFAULT, some] }, destination('198.51.100.2')), []);
    assert.deepEqual(ids({ ...IN_ORDER, routes: [DEFAULT, some] }, destination('203.0.113.2')), [
      'error no-local-route',
    ]);
  });
});

describe('what is asked about', () => {
  const others = [
    '*nat',
    ':PREROUTING ACCEPT [0:0]',
    '-A PREROUTING -s 10.0.0.0/8 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128',
    '-A PREROUTING -p tcp -m tcp --dport 443 -j DNAT --to-destination 172.17.0.2:8443',
    'COMMIT',
  ];

  test('DNAT to another host intercepts nothing here', () => {
    assert.deepEqual(ids({ rules: others.filter((line) => !line.includes('REDIRECT')) }), ['error no-rule']);
  });

  test('a rule for other clients', () => {
    const asked = (source: string) => ({
      port: 3128,
      source,
      destination: { address: '198.51.100.2', port: 80 },
    });
    const readings = { rules: others, sockets: [listening(3128)] };
    assert.deepEqual(
      ids(readings, asked('192.0.2.2')).filter((one) => /rule-/.test(one)),
      ['error rule-other-addresses'],
    );
    assert.deepEqual(
      ids(readings, asked('10.1.2.3')).filter((one) => /rule-/.test(one)),
      [],
    );
  });

  test('a working rule of another proxy is not replaced: one is added', () => {
    const [problem] = problems(
      { rules: TPROXY, sockets: [listening(3129), listening(8080)] },
      { port: 8080 },
    );
    assert.equal(problem?.id, 'rule-other-target');
    assert.match(problem?.remedy ?? '', /^nft 'add table /);
  });
});
