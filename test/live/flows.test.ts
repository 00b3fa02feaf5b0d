/** `flows`: the whole table, entry for entry what conntrack(8) says, and the filters on it. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { formatEndpoint } from '../../src/endpoint.ts';
import { CLIENT, Lab, SERVER } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import type { Flow, FlowPlace } from '../../src/table/flow.ts';
import { EVERYTHING, readTable } from '../../src/table/read.ts';
import { origdst, RUN } from '../support/cli.ts';
import { connectFrom } from '../support/client.ts';
import { ConntrackTable } from '../support/conntrack.ts';
import { type XmlFlow, xmlFlows } from '../support/conntrack-xml.ts';
import { startListener } from '../support/listener.ts';
import { LISTENER_PORT, redirectPort80 } from '../support/rules.ts';
import { assertSchema } from '../support/schema.ts';

const native = requireNative();
const LIMIT = Number(readFileSync('/proc/sys/net/netfilter/nf_conntrack_max', 'utf8'));

function flows(args: readonly string[]): string {
  return execFileSync(process.execPath, [RUN, 'flows', ...args], { encoding: 'utf8', maxBuffer: 1 << 29 });
}

function jsonl(args: readonly string[]): Flow[] {
  const lines = flows(['--jsonl', ...args]).split('\n');
  lines.pop();
  return lines.map((line) => JSON.parse(line));
}

const text = ({ address, port }: FlowPlace) => formatEndpoint({ address, port, family: 4 });

/** All that both programs tell, in one line. */
function ofOrigdst(flow: Flow): string {
  return [
    flow.protocol,
    text(flow.client),
    text(flow.original),
    text(flow.local),
    text(flow.peer),
    flow.state,
    flow.mark,
    flow.zone,
    flow.id,
    flow.assured,
    !flow.replied,
  ].join(' ');
}

function ofConntrack(flow: XmlFlow): string {
  return [
    flow.protocol,
    flow.original.from,
    flow.original.to,
    flow.reply.from,
    flow.reply.to,
    flow.protocol === 'tcp' ? flow.state : null,
    flow.mark,
    flow.zone,
    flow.id,
    flow.assured,
    flow.unreplied,
  ].join(' ');
}

test('262,144 mixed entries are entry for entry what conntrack -L -o xml says', () => {
  const table = new ConntrackTable(native);
  after(() => table.close());
  const count = Math.min(262_144, LIMIT);
  table.change('add', 0, count);
  const expected = xmlFlows(table.run('conntrack', ['-L', '-o', 'xml']))
    .map(ofConntrack)
    .sort();
  const listed = jsonl(['--all', '--netns', table.path]);
  const actual = listed.map(ofOrigdst).sort();
  assert.equal(expected.length, count);
  assert.equal(actual.length, count);
  for (let at = 0; at < count; at++) if (actual[at] !== expected[at]) assert.equal(actual[at], expected[at]);
  for (const flow of listed) {
    const moved = text(flow.original) !== text(flow.local);
    if (flow.nat !== (moved ? 'destination' : null)) assert.fail(JSON.stringify(flow));
  }
});

test('ICMP: type, code and identifier are what conntrack -L says; its XML leaves them out', () => {
  const table = new ConntrackTable(native);
  after(() => table.close());
  table.change('add', 0, 2000);
  const said = ['ipv4 icmp', 'ipv6 icmpv6'].flatMap((kind) => {
    const [family = '', protocol = ''] = kind.split(' ');
    return table
      .run('conntrack', ['-L', '-f', family, '-p', protocol])
      .trimEnd()
      .split('\n')
      .map((line) => /src=(\S+) dst=(\S+) type=(\d+) code=(\d+) id=(\d+)/.exec(line)?.slice(1).join(' '));
  });
  const listed = jsonl(['--all', '--netns', table.path]).flatMap(({ client, original, icmp }) =>
    icmp === null ? [] : [[client.address, original.address, icmp.type, icmp.code, icmp.id].join(' ')],
  );
  assert(listed.length > 200);
  assert.deepEqual(listed.sort(), said.sort());
});

test('a dump is right while entries come and go: what stays is seen once, and no other entry is made up', async () => {
  const table = new ConntrackTable(native);
  after(() => table.close());
  const [stable, coming] = [20_000, 40_000];
  table.change('add', 0, stable, 'plain');
  const changes = (async () => {
    for (let round = 0; round < 6; round++) {
      for (const how of ['add', 'delete'] as const) {
        const child = table.start(how, stable, coming, 'plain');
        const code = await new Promise((resolve) => child.on('exit', resolve));
        assert.equal(code, 0);
      }
    }
    return 'over';
  })();
  let dumps = 0;
  for (let over = false; !over; dumps++) {
    const seen = new Map<string, number>();
    for await (const records of readTable(native, EVERYTHING, table.netns)) {
      for (let at = 0; at < records.count; at++) {
        const key = `${records.address(at, 0)} ${records.port(at, 0)}`;
        seen.set(key, (seen.get(key) ?? 0) + 1);
      }
    }
    for (let n = 0; n < stable; n++) {
      const key = `10.${Math.floor(n / 60000)}.${(n >> 8) & 255}.${n & 255} ${1024 + (n % 60000)}`;
      if (seen.get(key) !== 1) assert.fail(`entry ${n} (${key}) was seen ${seen.get(key) ?? 0} times`);
    }
    assert(seen.size <= stable + coming);
    over = (await Promise.race([changes, Promise.resolve('going on')])) === 'over';
  }
  assert(dumps > 2, `${dumps} dumps met the changes`);
});

describe('filters', () => {
  const table = new ConntrackTable(native);
  after(() => table.close());
  table.change('add', 0, 5000);
  const everything = jsonl(['--all', '--netns', table.path]);
  const CASES: [string[], (flow: Flow) => boolean][] = [
    [[], (flow) => flow.nat !== null],
    [['--all', '--protocol', 'icmp'], (flow) => flow.protocol === 'icmp'],
    [['--all', '--protocol', '17'], (flow) => flow.protocol === 'udp'],
    [['--port', '8110'], (flow) => flow.local.port === 8110],
    [['--all', '--zone', '3'], (flow) => flow.zone === 3],
    [['--zone', '0'], (flow) => flow.nat !== null && flow.zone === 0],
    [['--all', '--peer', '10.0.3.0/24'], (flow) => flow.client.address.startsWith('10.0.3.')],
    [['--original', '2001:db8:2::/48'], (flow) => flow.nat !== null && flow.original.address.includes(':')],
    [['--original', ':81'], (flow) => flow.nat !== null && flow.original.port === 81],
    [['--all', '--mechanism', 'tproxy4'], () => false],
    [['--all', '--mechanism', 'netfilter', '--protocol', 'sctp'], (flow) => flow.protocol === 'sctp'],
  ];
  for (const [args, wanted] of CASES) {
    test(args.join(' ') || 'none', () => {
      const expected = everything.filter(wanted).map(ofOrigdst).sort();
      const form = ['--netns', table.path, ...args];
      const ran = origdst(['flows', '--jsonl', ...form]);
      const lines = ran.stdout.split('\n').slice(0, -1);
      assert.deepEqual(lines.map((line) => ofOrigdst(JSON.parse(line))).sort(), expected);
      assert.equal(ran.code, expected.length > 0 ? 0 : 3);
      const counted = origdst(['flows', '--count', '--json', ...form]);
      assert.equal(JSON.parse(counted.stdout).count, expected.length);
      assertSchema('flows-count', JSON.parse(counted.stdout));
      assert.equal(origdst(['flows', '--count', ...form]).stdout, `${expected.length}\n`);
    });
  }

  test('--json is the same flows in one document', () => {
    const document = JSON.parse(flows(['--all', '--json', '--netns', table.path]));
    assertSchema('flows', document);
    assert.deepEqual(document.flows.map(ofOrigdst).sort(), everything.map(ofOrigdst).sort());
  });

  test('the table has a line for each, in columns', () => {
    const [head = '', ...lines] = flows(['--netns', table.path]).trimEnd().split('\n');
    assert.match(head, /^protocol +client +original destination +goes to +nat +state$/);
    assert.equal(lines.length, everything.filter(({ nat }) => nat !== null).length);
    const [first] = jsonl(['--netns', table.path]);
    assert(first !== undefined);
    const words = lines[0]?.split(/ {2,}/);
    assert.deepEqual(words?.slice(0, 4), [
      first.protocol,
      text(first.client),
      text(first.original),
      text(first.local),
    ]);
  });
});

describe('nothing there, nonsense, no privilege', () => {
  const table = new ConntrackTable(native);
  after(() => table.close());
  test('an empty table: 3, and an empty document', () => {
    const { code, stdout } = origdst(['flows', '--json', '--netns', table.path]);
    assert.equal(code, 3);
    assert.deepEqual(JSON.parse(stdout).flows, []);
    assertSchema('flows', JSON.parse(stdout));
    const plain = origdst(['flows', '--netns', table.path]);
    assert.deepEqual([plain.code, plain.stdout], [3, '']);
    assert.match(plain.stderr, /no translated connection is there/);
  });
  for (const [args, sentence] of [
    [['--protocol', 'x'], /'x' is no protocol/],
    [['--peer', 'x'], /'x' is not ADDRESS/],
    [['--port', '0'], /greater than or equal to 1/],
    [['--json', '--jsonl'], /--jsonl/],
    [['--watch', '--mechanism', 'tproxy4'], /TPROXY leaves nothing in it/],
    [['--netns', 'no-such-name'], /namespace 'no-such-name'/],
  ] as [string[], RegExp][]) {
    test(args.join(' '), () => {
      const { code, stdout, stderr } = origdst(['flows', ...args]);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, sentence);
    });
  }
  test('as another user: 5, and who may', () => {
    for (const args of [['flows'], ['flows', '--watch', '--jsonl']]) {
      const { code, stdout, stderr } = origdst(args, { uid: 65534 });
      assert.equal(code, 5);
      assert.equal(stdout, '');
      assert.match(stderr, /CAP_NET_ADMIN: .* says EPERM\n {2}mend: /);
    }
  });
});

for (const [how, mechanism, verdict] of [
  ['redirect', 'netfilter', 'translated'],
  ['tproxy', 'tproxy4', 'inferred'],
] as const) {
  test(`real connections by ${how}, IPv4 and IPv6`, async () => {
    const lab = new Lab(native);
    after(() => lab.close());
    redirectPort80(lab.gateway, 'nft', how);
    const options = {
      family: 6,
      port: LISTENER_PORT,
      transparent: how === 'tproxy',
      title: 'flows',
    } as const;
    const listener = await startListener(native, lab.gateway, options);
    after(() => listener.stop());
    const clients = ([4, 6] as const).map((family) => connectFrom(native, lab.client, SERVER[family], 80));
    await listener.accepted(2);
    const found = jsonl(['--netns', lab.gateway.path]);
    assert.deepEqual(
      found.map((flow) => [flow.client.address, text(flow.original), flow.mechanism, flow.verdict]).sort(),
      ([4, 6] as const)
        .map((family) => [CLIENT[family], text({ address: SERVER[family], port: 80 }), mechanism, verdict])
        .sort(),
    );
    for (const { fd } of clients) native.close(fd);
  });
}
