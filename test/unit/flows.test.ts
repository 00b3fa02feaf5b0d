/** The parts of `flows` that need no kernel: addresses as text, and the places that filters name. */

import assert from 'node:assert/strict';
import { SocketAddress } from 'node:net';
import { describe, test } from 'node:test';
import { writeIPv6 } from '../../src/table/address-bytes.ts';
import { ByteWriter } from '../../src/table/byte-writer.ts';
import { isAt, parsePlace } from '../../src/table/place.ts';
import { ORIGINAL_SOURCE, Records } from '../../src/table/record.ts';

function spelled(bytes: Uint8Array, family: 4 | 6): string {
  const writer = new ByteWriter(64);
  writer.address(bytes, 0, family);
  return writer.take().toString('latin1');
}

test('IPv6 addresses are spelled as the system spells them', () => {
  const groups = [0, 0, 0, 1, 0x20, 0xdb8, 0xffff];
  // Every pattern of zero groups, and groups of one to four digits.
  for (let pattern = 0; pattern < 256; pattern++) {
    const address = Array.from({ length: 8 }, (_, at) =>
      pattern & (1 << at) ? (groups[3 + (at % 4)] ?? 1).toString(16) : '0',
    ).join(':');
    const bytes = new Uint8Array(16);
    assert(writeIPv6(bytes, 0, address));
    const { address: expected } = new SocketAddress({ address, family: 'ipv6' });
    // The system writes the last 32 bits of some as IPv4, which RFC 5952 leaves to choice.
    if (!expected.includes('.')) assert.equal(spelled(bytes, 6), expected);
  }
});

test('IPv4 addresses, and numbers of every length', () => {
  assert.equal(spelled(Uint8Array.of(0, 9, 99, 255), 4), '0.9.99.255');
  const writer = new ByteWriter(8);
  for (const number of [0, 9, 10, 65535, 4294967295]) {
    writer.reserve(10);
    writer.number(number);
    assert.equal(writer.take().toString(), String(number));
  }
});

describe('places', () => {
  const records = new Records(2);
  records.bytes[0] = 4;
  records.bytes.set([192, 0, 2, 129], 8);
  records.words[1] = 4000;
  records.bytes[128] = 6;
  writeIPv6(records.bytes, 136, '2001:db8:1::2');
  records.words[65] = 4000;
  const CASES: [string, number[]][] = [
    ['192.0.2.129', [0]],
    ['192.0.2.129:4000', [0]],
    ['192.0.2.129:4001', []],
    ['192.0.2.128/25', [0]],
    ['192.0.2.0/25', []],
    ['192.0.2.0/24:4000', [0]],
    ['0.0.0.0/0', [0]],
    ['2001:db8:1::2', [1]],
    ['[2001:db8:1::2]:4000', [1]],
    ['2001:db8::/32', [1]],
    ['2001:db8::/47', [1]],
    ['2001:db8::/48', []],
    ['[2001:db8:1::/64]:4000', [1]],
    ['::/0', [1]],
    [':4000', [0, 1]],
  ];
  for (const [text, expected] of CASES) {
    test(text, () => {
      const place = parsePlace(text);
      assert.deepEqual(
        [0, 1].filter((at) => isAt(records, at, ORIGINAL_SOURCE, place)),
        expected,
      );
    });
  }
  for (const text of [
    '',
    'x',
    '192.0.2.1/33',
    '192.0.2.1:0',
    '192.0.2.1:65536',
    '2001:db8::/129',
    '1.2.3',
    '[::1',
    '192.0.2.1/8/8',
  ]) {
    test(`'${text}' is none`, () => assert.throws(() => parsePlace(text), SyntaxError));
  }
});
