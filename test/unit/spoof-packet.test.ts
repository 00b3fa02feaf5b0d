/** Headers out of captured bytes, and what the packets of a flow say together. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodePacket, type Packet } from '../../src/spoof/packet.ts';
import { type Flow, sight } from '../../src/spoof/wire.ts';

/** Seen on the wire of a lab: 192.0.2.2:57659 and 198.51.100.2:80, 2001:db8:1::77:30464 and [2001:db8:2::2]:80. */
const SYN_4 =
  '4500003c9c0a40004006b22ec000024dc6336402e13b0050b2e0c2b900000000a002faf0ecb10000020405b40402080a59fe3f31000000000103030a';
const RST_4 = '450000280000400040064e4dc6336402c000024d0050e13b00000000b2e0c2ba501400006c260000';
const ICMP_4 =
  '45c00039f817000040019569c6336402c000024d0303d3a7000000004500001d392b400040111522c000024dc6336402c45d00500009ec9d78';
const ICMP_6 =
  '600c190200393a4020010db800020000000000000000000220010db80001000000000000000000770104598c00000000600cfa820009114020010db800010000000000000000007720010db8000200000000000000000002ace5005000095c0878';

function decode(hex: string, how: { outgoing?: boolean; overheard?: boolean } = {}): Packet | null {
  const bytes = Buffer.from(hex, 'hex');
  return decodePacket({ interface: 'eth0', outgoing: false, overheard: false, ...how, bytes });
}

const A = { address: '192.0.2.77', port: 57659 };
const T = { address: '198.51.100.2', port: 80 };

describe('decoding', () => {
  test('TCP over IPv4', () => {
    assert.deepEqual(decode(SYN_4, { outgoing: true }), {
      interface: 'eth0',
      direction: 'out',
      kind: 'syn',
      from: A,
      to: T,
      icmp: null,
    });
    assert.equal(decode(RST_4)?.kind, 'rst');
  });

  test('an IPv4 header with options: the ports stand behind them', () => {
    const withOptions = `46${SYN_4.slice(2, 40)}01010100${SYN_4.slice(40)}`;
    assert.deepEqual(decode(withOptions)?.from, A);
    assert.equal(decode(withOptions)?.kind, 'syn');
  });

  test('ICMP over IPv4 and IPv6: who says it, and about which packet', () => {
    const error = decode(ICMP_4, { overheard: true });
    assert.equal(error?.direction, 'overheard');
    assert.deepEqual(error?.from, { address: '198.51.100.2', port: 0 });
    assert.deepEqual(error?.icmp, {
      type: 3,
      code: 3,
      about: { from: { address: '192.0.2.77', port: 50269 }, to: T },
    });
    assert.deepEqual(decode(ICMP_6)?.icmp, {
      type: 1,
      code: 4,
      about: {
        from: { address: '2001:db8:1::77', port: 44261 },
        to: { address: '2001:db8:2::2', port: 80 },
      },
    });
  });

  for (const [name, hex] of Object.entries({ SYN_4, RST_4, ICMP_4, ICMP_6 })) {
    test(`${name} cut off anywhere is no packet, or still one of this flow`, () => {
      for (let length = 0; length < hex.length; length += 2) {
        const packet = decode(hex.slice(0, length));
        assert(packet === null || packet.from.address === decode(hex)?.from.address);
      }
    });
  }

  test('noise', () => {
    for (const hex of ['', '00', 'ff'.repeat(256), '4f'.repeat(30), '6f'.repeat(41)]) decode(hex);
  });
});

describe('sightings', () => {
  const flow: Flow = {
    protocol: 'tcp',
    local: { ...A, family: 4 },
    peer: { ...T, family: 4 },
  };
  const packet = (over: Partial<Packet>): Packet => ({
    interface: 'outside',
    direction: 'out',
    kind: 'syn',
    from: A,
    to: T,
    icmp: null,
    ...over,
  });
  const found = (...packets: Packet[]) =>
    Object.entries(sight(packets, flow))
      .filter(([, value]) => value !== null)
      .map(([name]) => name);

  test('nothing', () => assert.deepEqual(found(), []));
  test('sent', () => assert.deepEqual(found(packet({})), ['sent']));
  test('sent from another address', () =>
    assert.deepEqual(found(packet({ from: { address: '198.51.100.1', port: A.port } })), ['rewritten']));
  test('the reply came in, and went on', () => {
    const reply = { kind: 'syn-ack', from: T, to: A } as const;
    assert.deepEqual(
      found(packet({ ...reply, direction: 'in' }), packet({ ...reply, interface: 'inside' })),
      ['reply', 'passedOn'],
    );
  });
  test('a reply to another machine is none', () =>
    assert.deepEqual(found(packet({ kind: 'syn-ack', from: T, to: A, direction: 'overheard' })), [
      'overheard',
    ]));
  test('the owner of the address speaks up', () =>
    assert.deepEqual(found(packet({ kind: 'rst', direction: 'in', interface: 'inside' })), ['owner']));
  test('what comes back in by the loopback is this host itself', () =>
    assert.deepEqual(found(packet({ direction: 'in', interface: 'lo' })), []));
});
