/** The contract of the `rules` commands: exit codes, usage errors, help, and the published shapes. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { origdst, RUN } from '../support/cli.ts';
import { assertSchema } from '../support/schema.ts';

const folder = mkdtempSync(join(tmpdir(), 'origdst-rules-'));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, 'latin1');
  return path;
}

const RULE = 'RULE\nDIRECTION=PRE\nPROTOCOL=6\nDSTPORT=110\nNAT=YES\nNEWADDR=192.168.0.1\nNEWPORT=8110\n';
const GOOD = file('good', `${RULE}END\n`);
const ENDLESS = file('endless', RULE);
const OUTPUT = file('output', `${RULE.replace('PRE', 'OUTPUT')}END\n`);
const DEVICE = file('device', `${RULE}INDEVICE=eth1\nEND\n`);
const BYTES = file('bytes', `RULE\nNAME=\xff\x1b[31m\n${RULE.slice(5)}END\n`);
const FLOW = ['--flow', 'tcp 192.168.0.3:40000 193.70.192.70:110'];
const TO = ['--port', '110', '--to', '8110'];

describe('exit codes', () => {
  const CASES: [string[], number][] = [
    [['check', GOOD], 0],
    [['check', OUTPUT], 0],
    [['check', ENDLESS], 3],
    [['explain', GOOD, ...FLOW], 0],
    [['explain', ENDLESS, ...FLOW], 0],
    [['explain', GOOD, '--flow', 'udp 192.168.0.3:40000 193.70.192.70:110'], 3],
    [['explain', GOOD, ...FLOW, '--local'], 3],
    [['explain', OUTPUT, ...FLOW, '--local'], 0],
    [['explain', DEVICE, ...FLOW, '--in', 'eth1'], 0],
    [['explain', DEVICE, ...FLOW, '--in', 'eth2'], 3],
    [['convert', GOOD, '--to', 'nft'], 0],
    [['convert', ENDLESS, '--to', 'iptables'], 0],
    [['convert', OUTPUT, '--to', 'pf'], 3],
    [['format', ENDLESS], 0],
    [['generate', '--mechanism', 'tproxy4', ...TO], 0],
  ];
  for (const [args, code] of CASES) {
    test(args.join(' ').replaceAll(`${folder}/`, ''), () => {
      const ran = origdst(['rules', ...args]);
      assert.equal(ran.code, code, ran.stderr);
      assert.notEqual(ran.stdout, '');
    });
  }
});

describe('nonsense is refused with 2, a sentence on stderr, and nothing on stdout', () => {
  const CASES: [string[], RegExp][] = [
    [['check'], /file/],
    [['check', join(folder, 'none')], /none cannot be read: ENOENT/],
    [['check', folder], /cannot be read: EISDIR/],
    [['explain', GOOD], /--flow|flow/],
    [['explain', GOOD, '--flow', 'tcp 1.2.3.4:5'], /is not PROTOCOL ADDRESS:PORT ADDRESS:PORT/],
    [['explain', GOOD, '--flow', 'tcp 1.2.3.4:5 [::1]:80'], /IPFIRE knows no IPv6/],
    [['explain', GOOD, '--flow', 'icmp 1.2.3.4:5 1.2.3.4:5'], /is not PROTOCOL/],
    [['explain', GOOD, '--flow', 'tcp 1.2.3.4:0 1.2.3.4:5'], /is not ADDRESS:PORT/],
    [
      ['explain', DEVICE, ...FLOW],
      /rule 1 \(line 1\) asks for the interface eth1: say with --in which it is/,
    ],
    [['explain', GOOD, ...FLOW, '--own-address', 'x'], /is not an IPv4 address/],
    [['convert', GOOD], /to/],
    [['convert', GOOD, '--to', 'ipchains'], /ipchains|options/],
    [['convert', GOOD, '--to', 'pf', '--interface', 'a b'], /is no name of an interface/],
    [['generate', '--mechanism', 'tproxy4', '--port', '110'], /to/],
    [['generate', '--mechanism', 'tproxy4', '--port', '0', '--to', '1'], /greater than or equal to 1/],
    [['generate', '--mechanism', 'tproxy4', '--port', '110', '--to', '70000'], /is not PORT, ADDRESS:PORT/],
    [
      ['generate', '--mechanism', 'tproxy4', '--port', '1', '--to', '1.2.3.4:5', '--family', '6'],
      /do not go together/,
    ],
    [
      ['generate', '--mechanism', 'netfilter', '--port', '110', '--to', '[::1]:8110'],
      /cannot be redirected to ::1/,
    ],
    [['generate', '--mechanism', 'ipfw', ...TO, '--family', '6'], /are for IPv4/],
    [['generate', '--mechanism', 'npf', ...TO], /give --interface/],
    [['generate', '--mechanism', 'ipfire', ...TO], /mechanism/],
    [['nonsense'], /there is no command 'rules nonsense'; there are rules check, rules convert, /],
  ];
  for (const [args, sentence] of CASES) {
    test(args.join(' ').replaceAll(`${folder}/`, ''), () => {
      const ran = origdst(['rules', ...args]);
      assert.equal(ran.code, 2, ran.stderr);
      assert.equal(ran.stdout, '');
      assert.match(ran.stderr, sentence);
      assert(!ran.stderr.includes('    at '), 'a stack trace is no sentence');
    });
  }
});

describe('--json has the published shape', () => {
  const CASES: [string, string[]][] = [
    ['rules-check', ['check', GOOD]],
    ['rules-check', ['check', ENDLESS]],
    ['rules-check', ['check', BYTES]],
    ['rules-explain', ['explain', GOOD, ...FLOW]],
    ['rules-explain', ['explain', ENDLESS, '--flow', 'udp 1.2.3.4:5 1.2.3.4:5']],
    ['rules-explain', ['explain', BYTES, ...FLOW]],
    ['rules-convert', ['convert', GOOD, '--to', 'nft']],
    ['rules-convert', ['convert', OUTPUT, '--to', 'ipnat']],
    ['rules-format', ['format', BYTES]],
    ['rules-generate', ['generate', '--mechanism', 'netfilter', ...TO]],
    ['rules-generate', ['generate', '--mechanism', 'npf', '--interface', 'wm0', ...TO]],
  ];
  for (const [schema, args] of CASES) {
    test(args.join(' ').replaceAll(`${folder}/`, ''), () => {
      assertSchema(schema, JSON.parse(origdst(['rules', ...args, '--json']).stdout));
    });
  }
});

test('what no terminal should see is not printed', () => {
  for (const command of [
    ['check'],
    ['explain', ...FLOW],
    ['convert', '--to', 'nft'],
    ['convert', '--to', 'pf'],
  ]) {
    const [name = '', ...rest] = command;
    assert(!origdst(['rules', name, BYTES, ...rest]).stdout.includes('\u001b'));
  }
});

test('format prints the bytes as they were', () => {
  const { stdout } = spawnSync(process.execPath, [RUN, 'rules', 'format', BYTES]);
  assert.deepEqual(stdout, readFileSync(BYTES));
});

test('standard input', () => {
  const ran = spawnSync(process.execPath, [RUN, 'rules', 'check', '--json', '-'], {
    input: RULE,
    encoding: 'utf8',
  });
  assert.equal(ran.status, 3);
  assert.equal(JSON.parse(ran.stdout).file, '-');
});

describe('help', () => {
  test('the topic lists its commands', () => {
    const ran = origdst(['rules', '--help']);
    assert.equal(ran.code, 0);
    for (const command of ['check', 'convert', 'explain', 'format', 'generate']) {
      assert.match(ran.stdout, new RegExp(`rules ${command} `));
    }
    assert.equal(origdst(['rules']).stdout, ran.stdout);
    assert.equal(origdst(['help', 'rules']).stdout, ran.stdout);
  });
  for (const command of ['check', 'convert', 'explain', 'format', 'generate']) {
    test(`help rules ${command} and rules ${command} --help are the same, with examples`, () => {
      const { code, stdout } = origdst(['rules', command, '--help']);
      assert.equal(code, 0);
      assert.equal(origdst(['help', 'rules', command]).stdout, stdout);
      assert.match(stdout, new RegExp(`\\$ origdst rules ${command} `));
    });
  }
});
