/** Nonsense on the command line of listen-test: 2, a sentence on stderr, nothing on stdout. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { origdst } from '../support/cli.ts';

const CASES: [string[], RegExp][] = [
  [[], /port/],
  [['--port', '65536'], /less than or equal to 65535/],
  [['--port', '-1'], /greater than or equal to 0/],
  [['--port', '0', '--count', '0'], /greater than or equal to 1/],
  [['--port', '0', '--timeout', '0'], /greater than or equal to 1/],
  [['--port', '0', '--protocol', 'sctp'], /--protocol/],
  [['--port', '0', '--mechanism', 'iptables'], /--mechanism/],
  [['--port', '0', '--expect', '198.51.100.2'], /a port is missing, e\.g\. 198\.51\.100\.2:80/],
  [['--port', '0', '--expect', '2001:db8::1:80'], /not ADDRESS:PORT or \[IPV6\]:PORT/],
  [['--port', '0', '--spoof'], /--relay/],
  [['--port', '0', '--relay', '--reply', 'x'], /--reply/],
  [['--port', '0', '--json', '--jsonl'], /--json/],
  [['--port', '0', '--address', 'localhost'], /'localhost' is neither an address nor an interface/],
];

for (const [args, sentence] of CASES) {
  test(`listen-test ${args.join(' ')}`, () => {
    const { code, stdout, stderr } = origdst(['listen-test', ...args]);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, sentence);
    assert.match(stderr, /help: origdst listen-test --help/);
  });
}

test('a mechanism of another system: 4', () => {
  const { code, stderr } = origdst(['listen-test', '--port', '0', '--mechanism', 'pf']);
  assert.equal(code, 4);
  assert.match(stderr, /no lookup by pf/);
});
