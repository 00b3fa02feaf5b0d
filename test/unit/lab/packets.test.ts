/** Packets as text, out of bytes that are not trusted to be whole. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describePacket } from '../../../src/lab/packets.ts';

const SYN = Buffer.from(
  '4500003c000040004006000ac0000202c63364029c4000500000000100000000a002faf000000000',
  'hex',
);
const UDP6 = Buffer.from(
  '6000000000151140' +
    '20010db8000100000000000000000002' +
    '20010db8000200000000000000000002' +
    '9c40003500150000' +
    '00'.repeat(13),
  'hex',
);

test('a TCP handshake over IPv4 and a datagram over IPv6', () => {
  assert.equal(describePacket(SYN.subarray(0, 40)), '192.0.2.2:40000 > 198.51.100.2:80  tcp SYN');
  assert.equal(describePacket(UDP6), '[2001:db8:1::2]:40000 > [2001:db8:2::2]:53  udp 13 bytes');
});

test('whatever is cut short, or neither TCP nor UDP, is passed over', () => {
  for (let length = 0; length < 40; length += 1) assert.equal(describePacket(SYN.subarray(0, length)), null);
  for (let length = 0; length < 48; length += 1) assert.equal(describePacket(UDP6.subarray(0, length)), null);
  const icmp = Buffer.from(SYN);
  icmp.writeUInt8(1, 9);
  assert.equal(describePacket(icmp), null);
});
