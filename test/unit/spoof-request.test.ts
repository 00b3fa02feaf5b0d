/** Sources as people write them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSource } from '../../src/spoof/request.ts';

const CASES: [string, string, number, 4 | 6][] = [
  ['192.0.2.2', '192.0.2.2', 0, 4],
  ['192.0.2.2:4000', '192.0.2.2', 4000, 4],
  ['2001:db8::2', '2001:db8::2', 0, 6],
  ['2001:DB8:0:0::2', '2001:db8::2', 0, 6],
  ['[2001:db8::2]', '2001:db8::2', 0, 6],
  ['[2001:db8::2]:4000', '2001:db8::2', 4000, 6],
  ['::ffff:192.0.2.2', '192.0.2.2', 0, 4],
];

for (const [text, address, port, family] of CASES) {
  test(text, () => assert.deepEqual(parseSource(text), { address, port, family }));
}

for (const text of ['', 'host', '192.0.2.2:', '192.0.2.2:x', '[192.0.2.2]:1x', '[]', '::%lo', '1.2.3']) {
  test(`not '${text}'`, () => assert.throws(() => parseSource(text), SyntaxError));
}
