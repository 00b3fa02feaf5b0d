/** What is not this host's dropping: the way back leads elsewhere, the target refuses, nothing left, NAT interferes. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLIENT, GATEWAY, SERVER, UPLINK } from '../../src/lab/lab.ts';
import type { Family } from '../../src/verdict.ts';
import { assertSchema } from '../support/schema.ts';
import {
  assertExplained,
  conversation,
  FAMILIES,
  type Outcome,
  PORT,
  patiently,
  type SpoofScene,
  scene,
  TCP_AND_UDP,
} from '../support/spoof.ts';

const NEAR: Record<Family, string> = { 4: '203.0.113.1/24', 6: '2001:db8:3::1/64' };
const FAR: Record<Family, string> = { 4: '203.0.113.2/24', 6: '2001:db8:3::2/64' };
const BEYOND: Record<Family, string> = { 4: '203.0.113.99', 6: '2001:db8:3::99' };

async function mendsWith(
  lab: SpoofScene,
  args: string[],
  { report }: Outcome,
  where = lab.lab.gateway,
): Promise<void> {
  where.run('sh', ['-c', report.remedy ?? 'false']);
  const mended = await lab.connect(patiently(args));
  assert.equal(mended.code, 0, `${report.remedy}\n${mended.report.cause}`);
}

function assertNo(outcome: Outcome, verdict: string, reason: string, cause: RegExp, code = 3): void {
  const { report } = outcome;
  assert.equal(report.verdict, verdict, report.cause ?? '');
  assert.equal(report.reason, reason, report.cause ?? '');
  assert.match(report.cause ?? '', cause);
  assert.equal(outcome.code, code);
  assertExplained(outcome);
  assertSchema('spoof-connect', report);
}

describe('the reply goes around the gateway', () => {
  for (const family of FAMILIES) {
    for (const protocol of TCP_AND_UDP) {
      test(`IPv${family} ${protocol}: the next hop that it would have needed is named`, () =>
        scene(async (lab) => {
          const { client, server } = lab.lab;
          lab.serve(family, protocol);
          lab.keepReplies();
          lab.link(server, 'direct', NEAR[family], client, FAR[family]);
          const via = FAR[family].split('/')[0] ?? '';
          server.run('ip', [`-${family}`, 'route', 'add', CLIENT[family], 'via', via]);
          const args = conversation(family, protocol);
          const outcome = await lab.connect(args);
          const hop = UPLINK[family].replaceAll('.', '\\.');
          const next = new RegExp(
            `left on outside, and no reply to \\S+ reached this host.*must have ${hop} \\(this host`,
          );
          if (protocol === 'tcp') {
            assertNo(outcome, 'no-reply', 'reply-elsewhere', next);
            assert.match(outcome.report.cause ?? '', /owner of \S+ got it, for its reset came in on inside/);
          } else {
            assertNo(outcome, 'no-reply', 'no-reply', next, 6);
          }
          await mendsWith(lab, args, outcome, server);
        }));
    }
  }

  for (const family of FAMILIES) {
    test(`IPv${family}: no trace of the reply, but the target answers this host’s own address`, () =>
      scene(async (lab) => {
        lab.serve(family, 'tcp');
        lab.keepReplies();
        lab.lab.server.run('ip', [`-${family}`, 'route', 'add', 'blackhole', CLIENT[family]]);
        const args = conversation(family, 'tcp');
        const outcome = await lab.connect(args);
        assertNo(
          outcome,
          'no-reply',
          'reply-elsewhere',
          /answers this host’s own address: the reply takes another/,
        );
        await mendsWith(lab, args, outcome, lab.lab.server);
      }));
  }

  test('a reply to another machine on the same link is overheard', () =>
    scene(async (lab) => {
      lab.serve(4, 'udp');
      lab.keepReplies();
      const elsewhere = ['lladdr', '02:00:00:00:00:99', 'dev', 'eth0', 'nud', 'permanent'];
      lab.lab.server.run('ip', ['neigh', 'replace', UPLINK[4], ...elsewhere]);
      const outcome = await lab.connect(conversation(4, 'udp'));
      assertNo(
        outcome,
        'no-reply',
        'reply-elsewhere',
        /It was overheard on outside, addressed to another machine/,
      );
    }));

  test('behind a router, it is the router that is named', () =>
    scene(async (lab) => {
      const { gateway, server } = lab.lab;
      gateway.run('ip', ['route', 'add', '203.0.113.0/24', 'via', SERVER[4]]);
      server.run('ip', ['route', 'add', 'blackhole', '203.0.113.0/24']);
      const args = ['--source', CLIENT[4], '203.0.113.9:7', '--protocol', 'udp', '--send', 'x'];
      const { report } = await lab.connect([...args, '--timeout', '1']);
      assert.equal(report.reason, 'no-reply', report.cause ?? '');
      assert.match(
        report.remedy ?? '',
        /^ip -4 route replace 192\.0\.2\.2\/32 via 198\.51\.100\.1 {3}# on 198\.51\.100\.2, the router on the way$/,
      );
    }));
});

test('the target is silent to everyone: 6', () =>
  scene(async (lab) => {
    lab.serve(4, 'tcp');
    lab.keepReplies();
    lab.lab.server.run('nft', [
      `add table ip t; add chain ip t in { type filter hook input priority 0; }; add rule ip t in tcp dport ${PORT} drop`,
    ]);
    const outcome = await lab.connect(conversation(4, 'tcp'));
    assertNo(outcome, 'no-reply', 'target-silent', /does not answer this host’s own address either/, 6);
  }));

describe('refused', () => {
  for (const family of FAMILIES) {
    for (const protocol of TCP_AND_UDP) {
      test(`IPv${family} ${protocol}`, () =>
        scene(async (lab) => {
          lab.keepReplies();
          const args = conversation(family, protocol);
          const outcome = await lab.connect(args);
          const how = protocol === 'tcp' ? /refused \(RST\)/ : /refused \(ICMP port unreachable from/;
          assertNo(outcome, 'refused', 'refused', how);
          assert.match(outcome.report.cause ?? '', /the refusal came back to the socket/);
          lab.serve(family, protocol);
          assert.equal((await lab.connect(args)).code, 0);
        }));
    }
  }

  test('a refusal that is only seen on the wire is not said to have come back', () =>
    scene(async (lab) => {
      const outcome = await lab.connect(conversation(4, 'udp'));
      assertNo(outcome, 'refused', 'refused', /did not reach the socket; a reply may not reach it either/);
    }));
});

describe('unreachable', () => {
  for (const family of FAMILIES) {
    for (const protocol of TCP_AND_UDP) {
      test(`IPv${family} ${protocol}: an ICMP error, and by whom`, () =>
        scene(async (lab) => {
          const { gateway, server } = lab.lab;
          lab.keepReplies();
          server.sysctl(family === 4 ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding', 1);
          server.run('ip', [`-${family}`, 'route', 'add', 'unreachable', BEYOND[family]]);
          gateway.run('ip', [`-${family}`, 'route', 'add', BEYOND[family], 'via', SERVER[family]]);
          const at = family === 4 ? `${BEYOND[4]}:7` : `[${BEYOND[6]}]:7`;
          const outcome = await lab.connect([
            ...['--source', CLIENT[family], at, '--protocol', protocol, '--send', 'x', '--timeout', '1'],
          ]);
          const by = SERVER[family].replaceAll('.', '\\.');
          assertNo(
            outcome,
            'unreachable',
            'unreachable',
            new RegExp(`cannot be reached: ${by} answered “(host unreachable|no route to destination)”`),
          );
        }));
    }

    test(`IPv${family}: a next hop that does not answer`, () =>
      scene(async (lab) => {
        const silent = family === 4 ? '198.51.100.9:7' : '[2001:db8:2::9]:7';
        const outcome = await lab.connect(['--source', CLIENT[family], silent, '--timeout', '1']);
        const what = family === 4 ? 'ARP' : 'neighbour discovery';
        assertNo(
          outcome,
          'unreachable',
          'next-hop-silent',
          new RegExp(`next hop \\S+ does not answer ${what}`),
        );
        assert.deepEqual(
          outcome.report.packets?.filter(({ icmp }) => icmp === null),
          [],
        );
      }));
  }

  test('no route here', () =>
    scene(async (lab) => {
      const outcome = await lab.connect(['--source', CLIENT[4], '203.0.113.9:7']);
      assertNo(outcome, 'unreachable', 'no-route', /no route leads there.*ENETUNREACH/);
    }));

  test('a prohibited route is not a missing capability', () =>
    scene(async (lab) => {
      lab.lab.gateway.run('ip', ['route', 'add', 'prohibit', '203.0.113.9']);
      const outcome = await lab.connect(['--source', CLIENT[4], '203.0.113.9:7']);
      assertNo(outcome, 'unreachable', 'no-route', /of type prohibit.*EACCES/);
    }));
});

describe('the request is dropped on its way out', () => {
  const nft = (hook: string, rule: string) => (lab: SpoofScene) =>
    void lab.lab.gateway.run(
      'nft',
      ['-f', '-'],
      `table inet fw {\n chain c { type filter hook ${hook} priority 0; ${rule}\n }\n}\n`,
    );
  const ways: Record<string, (lab: SpoofScene) => void> = {
    'nft, output': nft('output', `th dport ${PORT} drop`),
    'nft, a policy of postrouting': nft('postrouting', 'policy drop; meta l4proto ipv6-icmp accept'),
    'nft, reject': nft('output', `th dport ${PORT} reject`),
    'nft, reject by RST': nft(
      'output',
      `tcp dport ${PORT} reject with tcp reset; udp dport ${PORT} reject with icmpx admin-prohibited`,
    ),
    'iptables-legacy': (lab) => {
      for (const tool of ['iptables-legacy', 'ip6tables-legacy']) {
        for (const protocol of TCP_AND_UDP) {
          const rule = ['-p', protocol, '--dport', String(PORT), '-j', 'DROP'];
          lab.lab.gateway.run(tool, ['-w', '-A', 'OUTPUT', ...rule]);
        }
      }
    },
  };
  for (const [name, breakIt] of Object.entries(ways)) {
    for (const family of FAMILIES) {
      for (const protocol of TCP_AND_UDP) {
        test(`${name}: IPv${family} ${protocol}`, () =>
          scene(async (lab) => {
            lab.serve(family, protocol);
            lab.keepReplies();
            breakIt(lab);
            const args = conversation(family, protocol);
            const outcome = await lab.connect(args);
            assertNo(
              outcome,
              'not-sent',
              'firewall',
              /^The request never left this host: (a rule|the policy) of chain/,
            );
            await mendsWith(lab, args, outcome);
          }));
      }
    }
  }
});

describe('NAT on this host', () => {
  const nat = (hook: string, rule: string) => [
    `add table inet n; add chain inet n c { type nat hook ${hook} priority 100; }; add rule inet n c ${rule}`,
  ];
  for (const family of FAMILIES) {
    test(`IPv${family}: masquerading makes the spoofing pointless, though the connection works`, () =>
      scene(async (lab) => {
        lab.serve(family, 'tcp');
        lab.keepReplies();
        lab.lab.gateway.run('nft', nat('postrouting', 'oifname outside masquerade'));
        const args = conversation(family, 'tcp');
        const outcome = await lab.connect(args);
        const own = UPLINK[family].replaceAll('.', '\\.');
        const cause = new RegExp(
          `does not see ${CLIENT[family]}: the rule “oifname "outside" masquerade” .* to ${own}, seen on outside`,
        );
        assertNo(outcome, 'rewritten', 'source-rewritten', cause);
        await mendsWith(lab, args, outcome);
      }));

    test(`IPv${family}: a redirection of the output hook to nowhere`, () =>
      scene(async (lab) => {
        lab.serve(family, 'tcp');
        lab.keepReplies();
        lab.lab.gateway.run('nft', nat('output', `tcp dport ${PORT} redirect to :99`));
        const args = conversation(family, 'tcp');
        const outcome = await lab.connect(args);
        assertNo(
          outcome,
          'not-sent',
          'redirected',
          /“tcp dport 7 redirect to :99”.* sends it to somewhere else/,
        );
        await mendsWith(lab, args, outcome);
      }));
  }

  test('a redirection of the output hook that is answered is not the target’s answer', () =>
    scene(async (lab) => {
      const { gateway, server } = lab.lab;
      lab.serve(4, 'tcp');
      lab.keepReplies();
      server.run('ip', ['address', 'add', '198.51.100.3/24', 'dev', 'eth0']);
      gateway.run('nft', nat('output', `ip daddr 198.51.100.3 tcp dport ${PORT} dnat ip to ${SERVER[4]}`));
      const args = ['--source', CLIENT[4], `198.51.100.3:${PORT}`, '--timeout', '1'];
      const outcome = await lab.connect(args);
      assert.notEqual(outcome.report.verdict, 'spoofed', outcome.stdout);
      assert.match(outcome.report.cause ?? '', /dnat ip to 198\.51\.100\.2/);
    }));
});

for (const family of FAMILIES) {
  test(`IPv${family}: a target of this host itself tells nothing`, () =>
    scene(async (lab) => {
      const own = family === 4 ? `${GATEWAY[4]}:8` : `[${GATEWAY[6]}]:8`;
      const foreign = family === 4 ? '203.0.113.77' : '2001:db8:9::77';
      for (const source of [foreign, CLIENT[family]]) {
        const outcome = await lab.connect(['--source', source, own, '--timeout', '1']);
        assertNo(outcome, 'no-reply', 'own-target', /is an address of this host/);
      }
    }));
}
