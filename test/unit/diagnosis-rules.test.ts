/** Rules of nft and iptables read as structure, and a packet’s way through them. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parseIptables } from '../../src/host/iptables-rules.ts';
import { parseNft, ruleTexts } from '../../src/host/nft-rules.ts';
import { matches, type Packet } from '../../src/host/packet.ts';
import type { Rule, Ruleset } from '../../src/host/rule.ts';
import { walk } from '../../src/host/walk.ts';

const PACKET: Packet = {
  family: 4,
  protocol: 'tcp',
  saddr: '192.0.2.2',
  daddr: '198.51.100.2',
  sport: 40_000,
  dport: 80,
  mark: 0,
  socket: false,
  state: 'new',
};

function recorded(name: string): string {
  return readFileSync(new URL(`recorded/${name}`, import.meta.url), 'utf8');
}

function nft(): Ruleset {
  return parseNft(recorded('nft-ruleset.json'), ruleTexts(recorded('nft-ruleset.txt')));
}

function rule(ruleset: Ruleset, text: RegExp): Rule {
  const found = ruleset.rules.find((one) => text.test(one.text));
  assert(found !== undefined, `no rule ${text}`);
  return found;
}

describe('nft', () => {
  test('every rule has the words that nft shows for it', () => {
    for (const { text } of nft().rules) assert.doesNotMatch(text, /^[[{]/);
  });

  test('tproxy, with and without an address', () => {
    assert.deepEqual(rule(nft(), /^tcp dport 80 tproxy/).actions, [
      { kind: 'tproxy', address: null, port: 8110, terminal: false },
      { kind: 'mark', value: 1, clear: 0xffffffff },
      { kind: 'accept' },
    ]);
    assert.deepEqual(rule(nft(), /tproxy ip to 127/).actions, [
      { kind: 'tproxy', address: '127.0.0.1', port: 8110, terminal: false },
      { kind: 'mark', value: 0x10, clear: 0x10 },
    ]);
  });

  test('marks with a mask keep the other bits', () => {
    const [action] = rule(nft(), /socket wildcard 0/).actions;
    assert.deepEqual(action, { kind: 'mark', value: 1, clear: 0xff });
  });

  test('a mark that comes from elsewhere is not known', () => {
    assert.deepEqual(rule(nft(), /meta mark set ct mark/).actions, [
      { kind: 'mark', value: null, clear: 0xffffffff },
    ]);
  });

  test('redirections, dnat, zones and notrack', () => {
    const ruleset = nft();
    assert.deepEqual(rule(ruleset, /redirect to :81$/).actions, [{ kind: 'redirect', port: 81 }]);
    assert.deepEqual(rule(ruleset, /udp dport 53 redirect/).actions, [{ kind: 'redirect', port: null }]);
    assert.deepEqual(rule(ruleset, /redirect to :1000-1010/).actions, [{ kind: 'redirect', port: null }]);
    assert.deepEqual(rule(ruleset, /dnat ip to 1\.2\.3\.4:80/).actions, [
      { kind: 'dnat', address: '1.2.3.4', port: 80 },
    ]);
    assert.deepEqual(rule(ruleset, /ct zone set 7/).actions, [{ kind: 'zone', zone: 7 }]);
    assert.deepEqual(rule(ruleset, /notrack/).actions, [{ kind: 'notrack' }]);
  });

  test('a set of ports, a named set, a verdict map', () => {
    const ruleset = nft();
    const takes = (text: RegExp, dport: number) => matches(rule(ruleset, text), { ...PACKET, dport });
    assert.equal(takes(/tproxy ip to 127/, 443), 'yes');
    assert.equal(takes(/tproxy ip to 127/, 1500), 'yes');
    assert.equal(takes(/tproxy ip to 127/, 444), 'no');
    assert.equal(takes(/tcp dport @x/, 7), 'yes');
    assert.equal(takes(/tcp dport @x/, 11), 'no');
    const branches = ruleset.rules.filter(({ text }) => /tcp dport vmap/.test(text));
    assert.deepEqual(
      branches.map((one) => [matches(one, { ...PACKET, iif: 'a', dport: 81 }), one.actions[0]?.kind]),
      [
        ['no', 'accept'],
        ['yes', 'drop'],
      ],
    );
  });

  test('what is not known of a packet is not decided', () => {
    const ruleset = nft();
    assert.equal(matches(rule(ruleset, /ct zone set 7/), { ...PACKET, dport: 25 }), 'maybe');
    assert.equal(matches(rule(ruleset, /ct zone set 7/), { ...PACKET, dport: 25, iif: 'eth0' }), 'yes');
    assert.equal(matches(rule(ruleset, /fib daddr/), PACKET), 'maybe');
    assert.equal(matches(rule(ruleset, /ip saddr 1\.2\.3/), { ...PACKET, saddr: undefined }), 'maybe');
    assert.equal(matches(rule(ruleset, /ip saddr 1\.2\.3/), PACKET), 'no');
    assert.equal(matches(rule(ruleset, /ip saddr 1\.2\.3/), { ...PACKET, family: 6 }), 'no');
  });

  test('chains of a bridge are of no IP family', () => {
    assert.equal(matches(rule(nft(), /pkttype set host/), PACKET), 'no');
  });
});

describe('iptables', () => {
  const ruleset = () => parseIptables('iptables-legacy', recorded('iptables-save.txt'));

  test('TPROXY sets its mark and is the end; REDIRECT and CT', () => {
    const all = ruleset();
    assert.deepEqual(rule(all, /-j TPROXY/).actions, [
      { kind: 'mark', value: 1, clear: 1 },
      { kind: 'tproxy', address: null, port: 3129, terminal: true },
    ]);
    assert.deepEqual(rule(all, /-j REDIRECT/).actions, [{ kind: 'redirect', port: 3128 }]);
    assert.deepEqual(rule(all, /--zone 4/).actions, [{ kind: 'zone', zone: 4 }]);
    assert.deepEqual(rule(all, /--notrack/).actions, [{ kind: 'notrack' }]);
    assert.equal(matches(rule(all, /-j REDIRECT/), { ...PACKET, dport: 443 }), 'yes');
    assert.equal(matches(rule(all, /-j REDIRECT/), { ...PACKET, dport: 444 }), 'no');
  });

  test('rules are numbered as -D and -R count them', () => {
    const all = ruleset();
    assert.deepEqual(
      all.rules
        .filter(({ table, chain }) => table === 'raw' && chain === 'PREROUTING')
        .map(({ handle }) => handle),
      [1, 2],
    );
    assert.equal(rule(all, /-j TPROXY/).handle, 2);
  });

  test('the DIVERT chain marks what belongs to a socket', () => {
    const all = ruleset();
    const established = { ...PACKET, state: 'established' as const };
    assert.equal(walk(all, 'prerouting', established).mark, 1);
    assert.equal(walk(all, 'prerouting', { ...established, dport: 81 }).mark, 0);
    assert.equal(walk(all, 'prerouting', { ...established, dport: 81, socket: true }).mark, 1);
  });

  test('negations, owners, interfaces', () => {
    const listing = [
      '*nat',
      ':OUTPUT ACCEPT [0:0]',
      '-A OUTPUT ! -d 10.0.0.0/8 -p tcp -m tcp ! --dport 22 -j REDIRECT --to-ports 3128',
      '-A OUTPUT -p tcp -m owner --uid-owner 13 -m tcp --dport 80 -j ACCEPT',
      '-A OUTPUT -o eth+ -p tcp -m mark --mark 0x2/0xf -j DNAT --to-destination 192.0.2.1:8080',
      '-A OUTPUT -p tcp -m comment --comment "not a -j TARGET" -m tcp --dport 81 -j RETURN',
      'COMMIT',
    ].join('\n');
    const [first, second, third, fourth] = parseIptables('iptables-legacy', listing).rules;
    assert(first && second && third && fourth);
    assert.equal(matches(first, PACKET), 'yes');
    assert.equal(matches(first, { ...PACKET, daddr: '10.1.2.3' }), 'no');
    assert.equal(matches(first, { ...PACKET, dport: 22 }), 'no');
    assert.equal(matches(second, PACKET), 'maybe');
    assert.deepEqual(third.actions, [{ kind: 'dnat', address: '192.0.2.1', port: 8080 }]);
    assert.equal(matches(third, PACKET), 'no');
    assert.equal(matches(third, { ...PACKET, mark: 0x12 }), 'maybe');
    assert.deepEqual(fourth.actions, [{ kind: 'return' }]);
  });
});

describe('a packet’s way', () => {
  const chains = (policy: string, ...rules: string[]) =>
    parseIptables('iptables-legacy', ['*filter', `:INPUT ${policy} [0:0]`, ...rules, 'COMMIT'].join('\n'));

  test('a policy that drops', () => {
    const { dropped } = walk(chains('DROP', '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT'), 'input', PACKET);
    assert.equal(dropped?.rule, null);
    assert.equal(dropped?.base.chain, 'INPUT');
  });

  test('a rule that may accept leaves the policy open', () => {
    const ruleset = chains('DROP', '-A INPUT -i eth0 -p tcp -j ACCEPT');
    assert.equal(walk(ruleset, 'input', PACKET).dropped, null);
    assert.notEqual(walk(ruleset, 'input', { ...PACKET, iif: 'eth1' }).dropped, null);
  });

  test('a return from a jump goes on behind it', () => {
    const ruleset = chains(
      'ACCEPT',
      ':mine - [0:0]',
      '-A INPUT -j mine',
      '-A INPUT -p tcp -j DROP',
      '-A mine -p tcp -j RETURN',
      '-A mine -p tcp -j ACCEPT',
    );
    assert.equal(walk(ruleset, 'input', PACKET).dropped?.rule?.text, '-p tcp -j DROP');
  });

  test('chains that jump in a circle end', () => {
    const ruleset = chains('ACCEPT', ':a - [0:0]', '-A INPUT -j a', '-A a -j a');
    assert.equal(walk(ruleset, 'input', PACKET).dropped, null);
  });
});
