/** The reply arrived and was dropped here: each way of doing so is named, and the printed remedy mends it. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLIENT } from '../../src/lab/lab.ts';
import type { Family, Protocol } from '../../src/verdict.ts';
import { assertSchema } from '../support/schema.ts';
import {
  assertExplained,
  conversation,
  FAMILIES,
  patiently,
  type SpoofScene,
  scene,
  TCP_AND_UDP,
} from '../support/spoof.ts';

interface Case {
  name: string;
  reason: string;
  cause: RegExp;
  families: readonly Family[];
  protocols: readonly Protocol[];
  break(lab: SpoofScene, family: Family): void;
}

const CASES: Case[] = [
  {
    name: 'no socket rule',
    reason: 'no-socket-rule',
    cause: /no rule of the prerouting hook marks packets that belong to a transparent socket/,
    families: FAMILIES,
    protocols: TCP_AND_UDP,
    break: (lab) => lab.keepReplies({ socketRule: false }),
  },
  {
    name: 'nothing is set up at all',
    reason: 'no-socket-rule',
    cause: /and no policy route would deliver them/,
    families: FAMILIES,
    protocols: TCP_AND_UDP,
    break: () => {},
  },
  {
    name: 'no socket rule, and this host forwards nothing',
    reason: 'no-socket-rule',
    cause: /no rule of the prerouting hook marks packets/,
    families: FAMILIES,
    protocols: TCP_AND_UDP,
    break: (lab, family) => {
      lab.keepReplies({ socketRule: false });
      lab.lab.gateway.sysctl(family === 4 ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding', 0);
    },
  },
  {
    name: 'no socket rule, and no route to the client',
    reason: 'no-socket-rule',
    cause: /no rule of the prerouting hook marks packets/,
    families: FAMILIES,
    protocols: TCP_AND_UDP,
    break: (lab) => {
      lab.keepReplies({ socketRule: false });
      lab.lab.gateway.run('ip', ['link', 'set', 'inside', 'down']);
    },
  },
  {
    name: 'no ip rule',
    reason: 'no-policy-rule',
    cause: /No IPv[46] ip rule leads packets with mark 0x1 to a table/,
    families: FAMILIES,
    protocols: TCP_AND_UDP,
    break: (lab) => lab.keepReplies({ policyRule: false }),
  },
  {
    name: 'no local route',
    reason: 'no-local-route',
    cause: /are looked up in table 100, which has no route that delivers them to this host/,
    families: FAMILIES,
    protocols: TCP_AND_UDP,
    break: (lab) => lab.keepReplies({ localRoute: false }),
  },
  {
    name: 'the ip rule is for another mark',
    reason: 'policy-mark',
    cause: /leaves IPv4 packets with mark 0x1, and the ip rule looks for 0x2/,
    families: [4],
    protocols: ['tcp'],
    break: (lab) => {
      lab.keepReplies({ policyRule: false });
      lab.lab.gateway.run('ip', ['rule', 'add', 'fwmark', '2', 'lookup', '100']);
    },
  },
  {
    name: 'the ip rule comes after the main table',
    reason: 'policy-rule-late',
    cause: /has priority 40000/,
    families: [4],
    protocols: ['tcp'],
    break: (lab) => {
      lab.keepReplies({ policyRule: false });
      lab.lab.gateway.run('ip', ['rule', 'add', 'priority', '40000', 'fwmark', '1', 'lookup', '100']);
    },
  },
  {
    name: 'src_valid_mark=1',
    reason: 'src-valid-mark',
    cause: /net\.ipv4\.conf\.all\.src_valid_mark set .* martians/,
    families: [4],
    protocols: TCP_AND_UDP,
    break: (lab) => {
      lab.keepReplies();
      lab.lab.gateway.sysctl('net.ipv4.conf.all.src_valid_mark', 1);
    },
  },
  {
    name: 'strict rp_filter, and the reply comes in by another link',
    reason: 'rp-filter',
    cause: /rp_filter is strict.*this host’s own route to 198\.51\.100\.2 leads elsewhere/,
    families: [4],
    protocols: TCP_AND_UDP,
    break: (lab) => {
      const { gateway, server } = lab.lab;
      lab.keepReplies();
      lab.link(gateway, 'second', '203.0.113.1/24', server, '203.0.113.2/24');
      server.run('ip', ['route', 'add', CLIENT[4], 'via', '203.0.113.1']);
      gateway.sysctl('net.ipv4.conf.second.rp_filter', 1);
      // Else it asks in the name of 198.51.100.2, and strict filtering drops the ARP request already.
      server.sysctl('net.ipv4.conf.second.arp_announce', 2);
    },
  },
  ...firewalls(),
];

function firewalls(): Case[] {
  const filter = (name: string, hook: string, priority: string, rule: string): Case => ({
    name: `firewall: ${name}`,
    reason: 'firewall',
    cause: /chain inet fw (c|inner) \(nft\) drops/,
    families: FAMILIES,
    protocols: TCP_AND_UDP,
    break: (lab) => {
      lab.keepReplies();
      lab.lab.gateway.run(
        'nft',
        ['-f', '-'],
        `table inet fw {\n chain inner { meta l4proto { tcp, udp } drop\n }\n chain c { type filter hook ${hook} priority ${priority}; ${rule}\n }\n}\n`,
      );
    },
  });
  return [
    filter('a policy of the input hook', 'input', 'filter', 'policy drop; meta l4proto ipv6-icmp accept'),
    filter('a rule of the input hook', 'input', 'filter', 'meta l4proto { tcp, udp } drop'),
    filter('a rule that another leads to', 'input', 'filter', 'iifname "outside" jump inner'),
    filter('a rule before the socket rule', 'prerouting', 'raw', 'th sport 7 drop'),
    {
      name: 'firewall: iptables-legacy, input',
      reason: 'firewall',
      cause: /chain filter INPUT \(ip6?tables-legacy\) drops it/,
      families: FAMILIES,
      protocols: TCP_AND_UDP,
      break: (lab, family) => {
        lab.keepReplies();
        const tool = family === 4 ? 'iptables-legacy' : 'ip6tables-legacy';
        for (const protocol of TCP_AND_UDP) {
          const port = ['--sport', '7'];
          lab.lab.gateway.run(tool, ['-w', '-A', 'INPUT', '-p', protocol, ...port, '-j', 'DROP']);
        }
      },
    },
  ];
}

for (const { name, reason, cause, families, protocols, break: breakIt } of CASES) {
  describe(name, () => {
    for (const family of families) {
      for (const protocol of protocols) {
        test(`IPv${family} ${protocol}`, () =>
          scene(async (lab) => {
            lab.serve(family, protocol);
            breakIt(lab, family);
            const outcome = await lab.connect(conversation(family, protocol));
            const { report } = outcome;
            assert.equal(report.verdict, 'dropped-here', report.cause ?? '');
            assert.equal(report.reason, reason, report.cause ?? '');
            assert.match(report.cause ?? '', cause);
            assert.match(
              report.cause ?? '',
              /^The reply \((SYN-ACK|a datagram)\) arrived on (outside|second)/,
            );
            assert.equal(outcome.code, 3);
            assertExplained(outcome);
            assertSchema('spoof-connect', report);

            lab.lab.gateway.run('sh', ['-c', report.remedy ?? 'false']);
            const mended = await lab.connect(patiently(conversation(family, protocol)));
            assert.equal(mended.code, 0, `${report.remedy}\n${mended.report.cause}`);
            assert.equal(mended.report.verdict, 'spoofed');
            assert.equal(lab.seen.at(-1)?.includes(CLIENT[family]), true);
          }));
      }
    }
  });
}

test('a socket rule for TCP is none for UDP', () =>
  scene(async (lab) => {
    lab.serve(4, 'udp');
    lab.keepReplies({ socketRule: false });
    lab.lab.gateway.run(
      'nft',
      ['-f', '-'],
      'table ip t {\n chain pre { type filter hook prerouting priority mangle; meta l4proto tcp socket transparent 1 meta mark set 1 accept\n }\n}\n',
    );
    const { report } = await lab.connect(conversation(4, 'udp'));
    assert.equal(report.reason, 'no-socket-rule', report.cause ?? '');
    lab.lab.gateway.run('sh', ['-c', report.remedy ?? 'false']);
    assert.equal((await lab.connect(conversation(4, 'udp'))).code, 0);
  }));

test('one family is set up, the other is asked about', () =>
  scene(async (lab) => {
    lab.serve(6, 'tcp');
    const { gateway } = lab.lab;
    lab.keepReplies({ policyRule: false, localRoute: false });
    gateway.ip('rule add fwmark 1 lookup 100', 'route add local 0.0.0.0/0 dev lo table 100');
    const { report } = await lab.connect(conversation(6, 'tcp'));
    assert.equal(report.reason, 'no-policy-rule', report.cause ?? '');
    gateway.run('sh', ['-c', report.remedy ?? 'false']);
    assert.equal((await lab.connect(conversation(6, 'tcp'))).code, 0);
  }));

test('without a way for it, even a refusal is dropped: the RST is named', () =>
  scene(async (lab) => {
    const { code, report } = await lab.connect(conversation(4, 'tcp'));
    assert.equal(code, 3);
    assert.equal(report.verdict, 'dropped-here');
    assert.match(report.cause ?? '', /^The reply \(RST\) arrived on outside/);
  }));

test('the remedy of iptables TPROXY set-ups: -m socket counts as a socket rule', () =>
  scene(async (lab) => {
    lab.serve(4, 'tcp');
    lab.keepReplies({ socketRule: false });
    const rule = ['-m', 'socket', '--transparent', '-j', 'MARK', '--set-mark', '1'];
    lab.lab.gateway.run('iptables-legacy', ['-w', '-t', 'mangle', '-A', 'PREROUTING', ...rule]);
    const { code, report } = await lab.connect(conversation(4, 'tcp'));
    assert.equal(code, 0, report.cause ?? '');
    lab.lab.gateway.run('ip', ['rule', 'del', 'fwmark', '1']);
    assert.equal((await lab.connect(conversation(4, 'tcp'))).report.reason, 'no-policy-rule');
  }));
