import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { endpoint, formatEndpoint, parseEndpoint, sameEndpoint } from '../../src/endpoint.ts';

describe('parseEndpoint', () => {
  const GOOD: [string, string, number, 4 | 6][] = [
    ['192.0.2.1:80', '192.0.2.1', 80, 4],
    ['[2001:db8::1]:443', '2001:db8::1', 443, 6],
    ['[2001:DB8:0:0::1]:443', '2001:db8::1', 443, 6],
    ['[::ffff:192.0.2.1]:80', '192.0.2.1', 80, 4],
    ['[::ffff:c000:201]:80', '192.0.2.1', 80, 4],
    ['192.0.2.1:65535', '192.0.2.1', 65535, 4],
  ];
  for (const [text, address, port, family] of GOOD) {
    test(text, () => assert.deepEqual(parseEndpoint(text), { address, port, family }));
  }

  const BAD = [
    '',
    ':',
    ':80',
    '192.0.2.1',
    '192.0.2.1:',
    '192.0.2.1:0',
    '192.0.2.1:65536',
    '192.0.2.1:-1',
    '192.0.2.1:8o',
    '192.0.2.1:80:80',
    '192.0.2.256:80',
    '192.0.2:80',
    '01.2.3.4:80',
    '2001:db8::1',
    '2001:db8::1:80',
    '[2001:db8::1]',
    '[2001:db8::1]:',
    '[192.0.2.1]:80',
    '[]:80',
    '[::1%lo]:80',
    'localhost:80',
    ' 192.0.2.1:80',
    '192.0.2.1:80\n',
    '192.0.2.1:1e3',
    '192.0.2.1:0x50',
    '192.0.2.1:99999999999999999999',
  ];
  for (const text of BAD) {
    test(`refuses '${text}'`, () => {
      assert.throws(
        () => parseEndpoint(text),
        (error: Error) => error instanceof SyntaxError && error.message.length > 10,
      );
    });
  }

  test('whatever is parsed, is printed so that it parses to the same', () => {
    let seed = 42;
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31;
      return seed % below;
    };
    const alphabet = '0123456789abcdef:.[]%- \n';
    for (let round = 0; round < 20_000; round++) {
      const text = Array.from({ length: random(24) }, () => alphabet[random(alphabet.length)]).join('');
      try {
        const parsed = parseEndpoint(text);
        assert.deepEqual(parseEndpoint(formatEndpoint(parsed)), parsed);
      } catch (error) {
        assert(error instanceof SyntaxError, `${JSON.stringify(text)}: ${error}`);
      }
    }
  });
});

test('sameEndpoint compares address and port', () => {
  const one = endpoint('192.0.2.1', 80);
  assert(sameEndpoint(one, endpoint('::ffff:192.0.2.1', 80)));
  assert(!sameEndpoint(one, endpoint('192.0.2.1', 81)));
  assert(!sameEndpoint(one, endpoint('192.0.2.2', 80)));
});
