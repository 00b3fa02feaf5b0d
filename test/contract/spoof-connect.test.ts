/** The command line of spoof-connect: what makes no sense is refused before anything is tried. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { origdst, RUN } from '../support/cli.ts';

const SOURCE = ['--source', '192.0.2.2'];

describe('nonsense is refused with 2, a sentence on stderr, and nothing on stdout', () => {
  const CASES: [string[], RegExp][] = [
    [[], /target/],
    [SOURCE, /target/],
    [['198.51.100.2:80'], /source/],
    [[...SOURCE, '198.51.100.2'], /a port is missing, e\.g\. 198\.51\.100\.2:80/],
    [[...SOURCE, '198.51.100.2:0'], /port 0 is not from 1 to 65535/],
    [[...SOURCE, '198.51.100.2:65536'], /port 65536 is not from 1 to 65535/],
    [[...SOURCE, '198.51.100.2:-1'], /not ADDRESS:PORT/],
    [[...SOURCE, '300.51.100.2:80'], /'300\.51\.100\.2' is not an IPv4 address/],
    [[...SOURCE, 'example.com:80'], /'example\.com' is not an IPv4 address/],
    [[...SOURCE, '2001:db8::1:80'], /not ADDRESS:PORT or \[IPV6\]:PORT/],
    [[...SOURCE, '[2001:db8::1]:80'], /different families/],
    [[...SOURCE, '0.0.0.0:80'], /the target 0\.0\.0\.0 is no address of a single host/],
    [[...SOURCE, '224.0.0.1:80'], /the target 224\.0\.0\.1 is no address/],
    [[...SOURCE, '198.51.100.2:80', 'more'], /more/],
    [['--source', '', '198.51.100.2:80'], /not ADDRESS/],
    [['--source', '192.0.2.2:0', '198.51.100.2:80'], /port 0 is not from 1 to 65535/],
    [['--source', '192.0.2.2:99999', '198.51.100.2:80'], /port 99999 is not from 1 to 65535/],
    [['--source', '192.0.2.0/24', '198.51.100.2:80'], /not ADDRESS/],
    [['--source', '0.0.0.0', '198.51.100.2:80'], /the source 0\.0\.0\.0 is no address/],
    [['--source', '255.255.255.255', '198.51.100.2:80'], /the source 255\.255\.255\.255 is no address/],
    [['--source', '::', '[2001:db8::1]:80'], /the source :: is no address/],
    [['--source', 'ff02::1', '[2001:db8::1]:80'], /the source ff02::1 is no address/],
    [['--source', 'fe80::1', '[2001:db8::1]:80'], /the source fe80::1 is link-local/],
    [['--source', 'fe80::1%eth0', '[2001:db8::1]:80'], /not ADDRESS/],
    [[...SOURCE, '198.51.100.2:80', '--protocol', 'sctp'], /protocol/],
    [[...SOURCE, '198.51.100.2:80', '--protocol', 'udp'], /needs --send/],
    [[...SOURCE, '198.51.100.2:80', '--mechanism', 'pf'], /mechanism/],
    [[...SOURCE, '198.51.100.2:80', '--timeout', '0'], /greater than or equal to 1/],
    [[...SOURCE, '198.51.100.2:80', '--timeout', '-5'], /greater than or equal to 1/],
    [[...SOURCE, '198.51.100.2:80', '--timeout', 'soon'], /integer/],
    [[...SOURCE, '198.51.100.2:80', '--expect', ''], /--expect is empty/],
    [[...SOURCE, '198.51.100.2:80', '--netns', 'no-such-name'], /namespace 'no-such-name': open .* ENOENT/],
    [[...SOURCE, '198.51.100.2:80', '--nonsense'], /--nonsense/],
  ];
  for (const [args, sentence] of CASES) {
    test(`spoof-connect ${args.join(' ')}`, () => {
      const ran = origdst(['spoof-connect', ...args]);
      assert.equal(ran.code, 2, ran.stderr);
      assert.equal(ran.stdout, '');
      assert.match(ran.stderr, sentence);
      assert(!ran.stderr.includes('    at '), 'a stack trace is no sentence');
    });
  }
});

test('a missing target is not read from standard input', () => {
  const ran = spawnSync(process.execPath, [RUN, 'spoof-connect', ...SOURCE], {
    encoding: 'utf8',
    input: '198.51.100.2:80\n',
  });
  assert.equal(ran.status, 2);
  assert.match(ran.stderr, /target/);
});

test('without the native module: 4', () => {
  const env = { ORIGDST_NATIVE: '/nonexistent/origdst.node' };
  const ran = origdst(['spoof-connect', ...SOURCE, '198.51.100.2:80'], { env });
  assert.equal(ran.code, 4);
  assert.match(ran.stderr, /native module could not be loaded/);
});

test('--help has examples', () => {
  const ran = origdst(['spoof-connect', '--help']);
  assert.equal(ran.code, 0);
  assert.match(ran.stdout, /\$ origdst spoof-connect --source 192\.0\.2\.2 198\.51\.100\.2:80/);
});
