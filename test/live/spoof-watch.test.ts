/** The filter of the packet socket: this flow and the ICMP errors about it, nothing else; and nothing is left open. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLIENT, SERVER } from '../../src/lab/lab.ts';
import { spoofConnect } from '../../src/spoof/attempt.ts';
import { decodePacket, type Packet } from '../../src/spoof/packet.ts';
import type { Endpoint } from '../../src/verdict.ts';
import { eventually } from '../support/eventually.ts';
import { FAMILIES, native, type SpoofScene, scene } from '../support/spoof.ts';

/** Datagrams from one port of the gateway to some ports of the server, where nothing listens. */
async function watched(
  { lab }: SpoofScene,
  peer: Endpoint,
  localPort: number,
  sent: readonly (readonly [from: number, to: number])[],
): Promise<Packet[]> {
  const { family } = peer;
  const any = family === 4 ? '0.0.0.0' : '::';
  const local = { address: CLIENT[family], port: localPort, family };
  const watch = native.openWatch({ protocol: 'udp', local, peer }, lab.gateway.netns);
  const all = native.openCapture(lab.gateway.netns);
  assert(watch.fd !== null && all.fd !== null);
  const opened = [watch.fd, all.fd];
  try {
    for (const [from, to] of sent) {
      const { fd } = native.openSocket(family, 'udp', lab.gateway.netns);
      assert(fd !== null);
      opened.push(fd);
      assert.equal(native.bind(fd, { address: any, port: from }).errorName, null);
      native.send(fd, Buffer.from('x'), { address: peer.address, port: to });
    }
    // The unfiltered capture has seen every refusal: what the filter let through has arrived as well.
    const seen = new Set<number>();
    const capture = all.fd;
    const refusals = () => {
      for (let one = native.readCapture(capture); one !== null; one = native.readCapture(capture)) {
        const about = decodePacket(one)?.icmp?.about;
        if (about !== undefined) seen.add(about.from.port * 65536 + about.to.port);
      }
      return seen.size >= sent.length;
    };
    await eventually(refusals, () => `${sent.length} refusals, not ${seen.size}`);
    const packets: Packet[] = [];
    for (let one = native.readCapture(watch.fd); one !== null; one = native.readCapture(watch.fd)) {
      const packet = decodePacket(one);
      assert(packet !== null);
      packets.push(packet);
    }
    return packets;
  } finally {
    for (const fd of opened) native.close(fd);
  }
}

for (const family of FAMILIES) {
  test(`IPv${family}: other ports are not seen, nor the errors about them`, () =>
    scene(async (lab) => {
      const peer = { address: SERVER[family], port: 5300, family };
      const packets = await watched(lab, peer, 4100, [
        [4101, 5300],
        [4102, 5301],
        [4100, 5300],
      ]);
      assert.deepEqual(
        packets.map(({ direction, kind, icmp }) => [direction, kind, icmp?.about.from.port ?? null]),
        [
          ['out', 'datagram', null],
          ['in', 'icmp-error', 4100],
        ],
      );
    }));

  test(`IPv${family}: from whatever address, for NAT may have changed it`, () =>
    scene(async (lab) => {
      const peer = { address: SERVER[family], port: 5300, family };
      const [first] = await watched(lab, peer, 4100, [[4100, 5300]]);
      assert.notEqual(first?.from.address, CLIENT[family]);
    }));
}

describe('every descriptor is closed', () => {
  const request = (lab: SpoofScene, source: string) => ({
    source: { address: source, port: 0, family: 4 as const },
    target: { address: SERVER[4], port: 7, family: 4 as const },
    protocol: 'tcp' as const,
    mechanism: 'tproxy4' as const,
    send: null,
    expect: null,
    timeoutMs: 50,
    netns: { fd: lab.lab.gateway.netns, inode: 0, name: 'gateway' },
  });
  const open = () => readdirSync('/proc/self/fd').length;

  for (const [name, source, keeps] of [
    ['connected', CLIENT[4], true],
    ['dropped', CLIENT[4], false],
    ['own address', '192.0.2.1', false],
  ] as const) {
    test(name, () =>
      scene(async (lab) => {
        lab.serve(4, 'tcp');
        if (keeps) lab.keepReplies();
        const { signal } = new AbortController();
        const attempt = () => spoofConnect(native, request(lab, source), signal);
        await attempt();
        await sleep(20);
        const before = open();
        for (let round = 0; round < 5; round++) await attempt();
        // The server of this process closes its ends when it is told of it.
        await eventually(
          () => open() <= before,
          () => `${before} descriptors, not ${open()}`,
        );
      }),
    );
  }

  test('interrupted', () =>
    scene(async (lab) => {
      const stop = new AbortController();
      const before = open();
      const attempt = spoofConnect(native, { ...request(lab, CLIENT[4]), timeoutMs: 60_000 }, stop.signal);
      stop.abort();
      await assert.rejects(attempt, { code: 'ABORT_ERR' });
      assert.equal(open(), before);
    }));
});
