/** A lab that was broken on purpose: every proof must notice, and say what is wrong. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpoint } from '../../src/endpoint.ts';
import { GATEWAY, type Lab } from '../../src/lab/lab.ts';
import { PROXY_PORT, type ProofResult } from '../../src/lab/proof.ts';
import { proofs } from '../../src/lab/proofs/index.ts';
import { runProof, runProofs } from '../../src/lab/prove.ts';
import { findRuleTools, load } from '../../src/lab/rule-tool.ts';
import type { Rule } from '../../src/lab/rules.ts';
import type { Tampering } from '../../src/lab/stage.ts';
import { requireNative } from '../../src/native.ts';

const native = requireNative();
const tools = findRuleTools();

interface Sabotage {
  name: string;
  reason: string;
  cause: RegExp;
  remedy: RegExp;
  /** Which proofs it must break; all others must still hold. */
  breaks(id: string): boolean;
  tampering: Tampering;
}

const isTproxy = (id: string) => id.startsWith('tproxy4.');
const isFour = (id: string) => id.includes('.ipv4.') || id.includes('.dual.');
const each = (lab: Lab, line: (family: number) => string[]) => {
  for (const family of lab.families) lab.gateway.run('ip', line(family));
};

const SABOTAGES: readonly Sabotage[] = [
  {
    name: 'rules removed',
    reason: 'rule-missing',
    cause: /rule is not in the gateway’s ruleset/,
    remedy: /^nft list ruleset$/,
    breaks: () => true,
    tampering: { afterRules: (lab) => void lab.gateway.run('nft', ['flush', 'ruleset']) },
  },
  {
    name: 'rule pre-empted by an earlier chain',
    reason: 'rule-not-hit',
    cause: /no packet came to it/,
    remedy: /lower priority/,
    breaks: (id) => !id.includes('.spoof.') && !id.includes('.output.'),
    tampering: {
      afterRules: (lab) =>
        void lab.gateway.run(
          'nft',
          ['-f', '-'],
          'table inet other {\n chain first {\n type filter hook prerouting priority -400;\n iifname "inside" meta l4proto { tcp, udp } drop;\n }\n}',
        ),
    },
  },
  {
    name: 'policy rule removed',
    reason: 'no-policy-rule',
    cause: /No policy rule sends packets with mark 1 to table 100/,
    remedy: /^ip -[46] rule add fwmark 1 lookup 100$/,
    breaks: isTproxy,
    tampering: {
      afterRules: (lab) => removing(lab, (family) => [`-${family}`, 'rule', 'del', 'fwmark', '1']),
    },
  },
  {
    name: 'local route removed',
    reason: 'no-local-route',
    cause: /Table 100 has no local route/,
    remedy: /^ip -[46] route add local default dev lo table 100$/,
    breaks: isTproxy,
    tampering: {
      afterRules: (lab) => removing(lab, (family) => [`-${family}`, 'route', 'flush', 'table', '100']),
    },
  },
  {
    name: 'src_valid_mark=1',
    reason: 'src-valid-mark',
    cause: /net\.ipv4\.conf\.all\.src_valid_mark is 1/,
    remedy: /^sysctl -w net\.ipv4\.conf\.all\.src_valid_mark=0$/,
    breaks: (id) => isTproxy(id) && isFour(id),
    tampering: { afterRules: (lab) => lab.gateway.sysctl('net.ipv4.conf.all.src_valid_mark', 1) },
  },
];

/** A lab of netfilter's has no policy route to remove. */
function removing(lab: Lab, line: (family: number) => string[]): void {
  if (
    lab.gateway
      .run('ip', ['rule', 'show'])
      .concat(lab.gateway.run('ip', ['-6', 'rule', 'show']))
      .includes('fwmark')
  ) {
    each(lab, line);
  }
}

for (const { name, reason, cause, remedy, breaks, tampering } of SABOTAGES) {
  test(`broken lab: ${name}`, async () => {
    const results = await runProofs(native, proofs, { tools, tampering });
    for (const result of results) {
      if (!breaks(result.id)) assert.equal(result.verdict, 'proven', describe(result));
      else assertBroken(result, reason, cause, remedy);
    }
  });
}

test('broken lab: listener or sender without the option', async () => {
  const chosen = proofs.filter(({ id }) => isTproxy(id));
  const results = await runProofs(native, chosen, { tools, tampering: { withoutOption: true } });
  for (const result of results) {
    if (result.id.includes('.spoof.')) {
      assertBroken(result, 'sender-not-transparent', /bind says EADDRNOTAVAIL/, /--verbose/);
    } else {
      assertBroken(result, 'listener-not-transparent', /listener has no IP_TRANSPARENT/, /before bind/);
    }
  }
});

for (const tool of tools.filter(({ name }) => name !== 'nft')) {
  test(`broken lab: rules removed from ${tool.name}`, async () => {
    const flush = (lab: Lab) => {
      for (const family of lab.families) {
        for (const table of ['nat', 'mangle'])
          lab.gateway.run(tool.programs[family], ['-w', '-t', table, '-F']);
      }
    };
    const results = await runProofs(native, proofs, { tools: [tool], tampering: { afterRules: flush } });
    for (const result of results) {
      assertBroken(
        result,
        'rule-missing',
        /rule is not in the gateway’s ruleset/,
        new RegExp(`^${tool.name.replace('ip', 'ip6?')} -t `),
      );
    }
  });
}

test('a control that proves what it must not makes the proof worthless', async () => {
  for (const { id, rules } of worthless()) {
    const proof = proofs.find((one) => one.id === id);
    assert(proof !== undefined);
    const [tool] = tools;
    assert(tool !== undefined);
    const beforeControl = (lab: Lab) => load(tool, lab.gateway, rules);
    const result = await runProof(native, proof, { tools, tampering: { beforeControl } });
    assertBroken(
      result,
      'control-succeeded',
      /^Without the rules the packets reached the proxy too/,
      /--verbose/,
    );
  }
});

function worthless(): { id: string; rules: Rule[] }[] {
  const destination = endpoint('198.51.100.2', 80);
  const to = endpoint(GATEWAY[4], PROXY_PORT);
  return [{ id: 'netfilter.redirect.ipv4.tcp', rules: [{ kind: 'dnat', protocol: 'tcp', destination, to }] }];
}

test('a control of spoofing that succeeds makes the proof worthless', async () => {
  const proof = proofs.find(({ id }) => id === 'tproxy4.spoof.ipv4.tcp');
  assert(proof !== undefined);
  const beforeControl = (lab: Lab) => lab.gateway.sysctl('net.ipv4.ip_nonlocal_bind', 1);
  const result = await runProof(native, proof, { tools, tampering: { beforeControl } });
  assertBroken(result, 'control-succeeded', /without the option, too/, /--verbose/);
});

test('no tool brings the rules in: said with the tool’s own words', async () => {
  const [proof] = proofs;
  assert(proof !== undefined);
  const broken = { name: 'nft', programs: { 4: '/bin/false', 6: '/bin/false' } } as const;
  const result = await runProof(native, proof, { tools: [broken] });
  assertBroken(result, 'lab-refused', /kernel takes the rules from no tool: .*false/, null);
  const second = await runProof(native, proof, { tools: [broken, ...tools] });
  assert.equal(second.verdict, 'proven', 'the next tool is tried');
});

function assertBroken(result: ProofResult, reason: string, cause: RegExp, remedy: RegExp | null): void {
  assert.equal(result.verdict, 'broken', describe(result));
  assert.equal(result.reason, reason, describe(result));
  assert.match(result.cause ?? '', cause, describe(result));
  if (remedy !== null) assert.match(result.remedy ?? '', remedy, describe(result));
}

function describe({ id, verdict, reason, cause, evidence }: ProofResult): string {
  const steps = evidence.map(
    (step) => `${step.call} ${step.target} ${step.result} ${step.errorName ?? ''} ${step.detail}`,
  );
  return `${id} ${verdict} ${reason} ${cause}\n${steps.join('\n')}`;
}
