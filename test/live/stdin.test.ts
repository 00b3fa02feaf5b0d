/** `lookup --stdin`: a stream of tuples, answered in order. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, describe, test } from 'node:test';
import { formatEndpoint } from '../../src/endpoint.ts';
import { requireNative } from '../../src/native.ts';
import { RUN } from '../support/cli.ts';
import { ConntrackTable, plainEntry } from '../support/conntrack.ts';
import { xmlFlows } from '../support/conntrack-xml.ts';
import { assertSchema } from '../support/schema.ts';

const native = requireNative();
const COUNT = 20_000;
const table = new ConntrackTable(native);
after(() => table.close());
table.change('add', 0, COUNT, 'plain');

interface Ran {
  code: number | null;
  answers: ReturnType<typeof JSON.parse>[];
}

function stream(input: string, args: readonly string[] = ['--netns', table.path], uid?: number): Ran {
  const child = spawnSync(process.execPath, [RUN, 'lookup', '--stdin', ...args], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  assert.equal(child.stderr, '');
  const lines = child.stdout.split('\n');
  assert.equal(lines.pop(), '', 'the last line ends');
  return { code: child.status, answers: lines.map((line) => JSON.parse(line)) };
}

const lineOf = (n: number) => `tcp ${plainEntry(n).peer} ${plainEntry(n).local}`;
const text = ({ address, port }: { address: string; port: number }) => `${address}:${port}`;

test(`${COUNT} lines: every answer, in order`, () => {
  const input = Array.from({ length: COUNT }, (_, n) => lineOf(n)).join('\n');
  const { code, answers } = stream(input);
  assert.equal(answers.length, COUNT);
  for (const [n, answer] of answers.entries()) {
    const { peer, local, original } = plainEntry(n);
    assert.deepEqual(
      [text(answer.flow.peer), text(answer.flow.local), text(answer.original), answer.verdict],
      [peer, local, original, 'translated'],
    );
  }
  assert.equal(code, 0);
});

test('an answer is what `lookup --json` says of the same connection', () => {
  const { peer, local } = plainEntry(7);
  const args = ['lookup', '--json', '--peer', peer, '--local', local, '--netns', table.path];
  const child = spawnSync(process.execPath, [RUN, ...args], { encoding: 'utf8' });
  const [expected] = JSON.parse(child.stdout).results;
  const [answer] = stream(lineOf(7)).answers;
  expected.evidence = expected.evidence.filter((step: { call: string }) => step.call === 'ctnetlink get');
  assert.deepEqual(answer, expected);
});

describe('a line that cannot be asked gets an error in its place', () => {
  const CASES: [string, RegExp][] = [
    ['nonsense', /not PROTOCOL PEER LOCAL/],
    ['', /not PROTOCOL PEER LOCAL/],
    ['tcp 10.0.0.1:1 10.0.0.2:2 3 4', /not PROTOCOL PEER LOCAL/],
    ['icmp 10.0.0.1:1 10.0.0.2:2', /'icmp' is not tcp, udp/],
    ['tcp 10.0.0.256:1 10.0.0.2:2', /'10\.0\.0\.256' is not an IPv4 address/],
    ['tcp 10.0.0.01:1 10.0.0.2:2', /'10\.0\.0\.01' is not an IPv4 address/],
    ['tcp 10.0.0.1:0 10.0.0.2:2', /port '0' is not from 1 to 65535/],
    ['tcp 10.0.0.1:65536 10.0.0.2:2', /port '65536'/],
    ['tcp 10.0.0.1 10.0.0.2:2', /not ADDRESS:PORT/],
    ['tcp 2001:db8::1:80 10.0.0.2:2', /not an IPv4 address/],
    ['tcp [2001:db8::1]:80 10.0.0.2:2', /different families/],
    ['tcp [fe80::1%eth0]:80 [fe80::2]:2', /not an IPv6 address/],
    ['tcp 10.0.0.1:1 10.0.0.2:2 65536', /zone '65536' is not from 0 to 65535/],
    ['{"protocol":"tcp"}', /peer is neither/],
    ['{"protocol":"tcp"', /no JSON object/],
    [`tcp ${'1'.repeat(100_000)}`, /longer than 4096/],
  ];
  for (const [line, sentence] of CASES) {
    test(line.slice(0, 40) || '(empty)', () => {
      const { code, answers } = stream(`${lineOf(1)}\n${line}\n${lineOf(2)}\n`);
      assert.deepEqual(
        answers.map((answer) => answer.verdict ?? answer.error.reason),
        ['translated', 'malformed', 'translated'],
      );
      assert.equal(answers[1].error.line, 2);
      assert.match(answers[1].error.message, sentence);
      assert.equal(code, 2);
      for (const answer of answers) assertSchema('lookup-stdin', answer);
    });
  }
});

test('JSON objects in: addresses as text or as objects, and an IPv4-mapped address is IPv4', () => {
  const { peer, local, original } = plainEntry(9);
  const [address, port] = peer.split(':');
  const lines = [
    { protocol: 'tcp', peer, local },
    { protocol: 'tcp', peer: { address, port: Number(port) }, local, zone: 0 },
    { protocol: 'tcp', peer: `[::ffff:${address}]:${port}`, local: `[::ffff:c000:201]:8110` },
  ];
  const { code, answers } = stream(lines.map((line) => JSON.stringify(line)).join('\n'));
  assert.deepEqual(
    answers.map((answer) => text(answer.original)),
    [original, original, original],
  );
  assert.equal(code, 0);
});

test('no entry: 3; another zone is another question', () => {
  const { code, answers } = stream(`${lineOf(COUNT)}\n${lineOf(1)} 5\n`);
  assert.deepEqual(
    answers.map(({ verdict, reason }) => [verdict, reason]),
    [
      ['no-entry', 'no-entry'],
      ['no-entry', 'no-entry'],
    ],
  );
  assert.deepEqual(
    answers.map(({ flow }) => flow.zone),
    [0, 5],
  );
  assert.equal(code, 3);
  for (const answer of answers) assertSchema('lookup-stdin', answer);
});

test('mixed entries: IPv6, UDP, zones; and what was not redirected says so', () => {
  const mixed = new ConntrackTable(native);
  after(() => mixed.close());
  mixed.change('add', 0, 1000);
  const flows = xmlFlows(mixed.run('conntrack', ['-L', '-o', 'xml'])).filter(({ protocol }) =>
    ['tcp', 'udp', 'udplite', 'sctp'].includes(protocol),
  );
  assert(flows.length > 500);
  const input = flows.map(({ protocol, zone, reply }) => `${protocol} ${reply.to} ${reply.from} ${zone}`);
  const { answers } = stream(input.join('\n'), ['--netns', mixed.path]);
  for (const [at, { original, reply }] of flows.entries()) {
    const redirected = original.to !== reply.from;
    const { verdict, original: found } = answers[at];
    assert.equal(verdict, redirected ? 'translated' : 'untranslated', `${input[at]}`);
    if (redirected) assert.equal(formatEndpoint(found), original.to);
  }
});

test('a program that waits for each answer gets it', async () => {
  const child = spawn(process.execPath, [RUN, 'lookup', '--stdin', '--netns', table.path]);
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  for (const n of [5, 6]) {
    child.stdin.write(`${lineOf(n)}\n`);
    const { value } = await answers.next();
    assert.equal(text(JSON.parse(value ?? '').original), plainEntry(n).original);
  }
  child.stdin.end();
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('without the privilege every line is denied: 5', () => {
  const { code, answers } = stream(`${lineOf(1)}\n${lineOf(2)}\n`, [], 65534);
  assert.deepEqual(
    answers.map(({ verdict, reason }) => [verdict, reason]),
    [
      ['denied', 'no-cap-net-admin'],
      ['denied', 'no-cap-net-admin'],
    ],
  );
  assert.equal(code, 5);
});
