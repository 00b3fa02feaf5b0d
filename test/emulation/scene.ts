/**
 * The recorder's three machines, in namespaces, with its addresses and ports: whatever socket a step of the
 * recording names is made here again. Packets are redirected by nft, in place of the module.
 */

import { writeFileSync } from 'node:fs';
import { LabHost } from '../../src/lab/host.ts';
import { Lab } from '../../src/lab/lab.ts';
import type { Native } from '../../src/native.ts';
import { Asker } from './asker.ts';
import type { Emulation } from './emulation.ts';
import type { RecordedOption } from './recorded.ts';

const CLIENT = '192.168.0.3';
const PROXY = '192.168.0.1';
const ORIGIN = '193.70.192.70';

const REDIRECTION = `
table ip ipfire {
  chain pre { type nat hook prerouting priority dstnat;
    iifname inside tcp dport 110 dnat to ${PROXY}:8110
    iifname inside tcp dport 111 dnat to ${PROXY}:8111
    iifname inside tcp dport 112 dnat to ${PROXY}:8112
  }
  chain out { type nat hook output priority -100;
    tcp dport 113 dnat to :8110
    tcp dport 114 dnat to 127.0.0.1:8110
  }
}`;

/** SO_DOMAIN, type and protocol, by the recorder's words. */
const PLAIN: Record<string, string> = {
  'TCP/IPv4 unconnected': '2 1 0',
  'UDP/IPv4 unconnected': '2 2 0',
  'TCP/IPv6 unconnected': '10 1 0',
  'UDP/IPv6 unconnected': '10 2 0',
  'MPTCP/IPv4 unconnected': '2 1 262',
  'ICMP datagram (ping) IPv4': '2 2 1',
  'raw ICMP IPv4': '2 3 1',
  'raw IGMP IPv4': '2 3 2',
  'raw TCP IPv4': '2 3 6',
  'UDP-Lite/IPv4': '2 2 136',
  'AF_UNIX stream': '1 1 0',
  'AF_PACKET raw': '17 3 0',
  'AF_NETLINK route': '16 3 0',
};

export interface Ends {
  client: number;
  accepted: number;
}

export class Scene {
  readonly lab: Lab;
  readonly asker: Asker;
  readonly #elsewhere: LabHost;
  readonly #made = new Map<string, Promise<number>>();
  readonly #connections = new Map<string, Promise<Ends>>();

  /** @param emulation null: the sockets are this kernel's own */
  constructor(native: Native, emulation: Emulation | null) {
    this.lab = new Lab(native, [4]);
    this.#elsewhere = new LabHost(native, 'elsewhere');
    this.asker = new Asker(emulation);
    const { client, gateway, server } = this.lab;
    client.ip(`address add ${CLIENT}/24 dev eth0`, `route add 193.70.192.0/24 via ${PROXY}`);
    gateway.ip(`address add ${PROXY}/24 dev inside`, 'address add 193.70.192.1/24 dev outside');
    server.ip(`address add ${ORIGIN}/24 dev eth0`, 'route add 192.168.0.0/24 via 193.70.192.1');
    this.#elsewhere.ip('link set lo up', `address add ${PROXY}/32 dev lo`, `address add ${CLIENT}/32 dev lo`);
    gateway.within(() => writeFileSync('/proc/sys/net/ipv4/ping_group_range', '0 0'));
  }

  loadRules(): void {
    this.lab.gateway.run('nft', ['-f', '-'], REDIRECTION);
  }

  flushRules(): void {
    this.lab.gateway.run('nft', ['delete', 'table', 'ip', 'ipfire']);
  }

  /** The descriptor that a step means. A socket of the same name and addresses is the same one. */
  descriptor(step: RecordedOption): Promise<number> {
    const key = step.target.includes('loopback') ? step.target : `${step.target} ${clientPort(step)}`;
    return memo(this.#made, key, () => this.#make(step));
  }

  async #make(step: RecordedOption): Promise<number> {
    const { asker, lab } = this;
    const { target, peer, decoded, local } = step;
    await asker.enter(lab.gateway);
    const plain = PLAIN[target];
    if (plain !== undefined) return asker.make('socket', plain);
    switch (target) {
      case 'pipe':
        return asker.make('pipe');
      case 'closed descriptor':
        return asker.make('closed');
      case 'socket-less file (console)':
        return asker.make('file', '/dev/null');
      case 'TCP/IPv4 listening':
        return this.#listen('2 1 0', '0.0.0.0', 8999);
      case 'the listening socket':
        return this.#listenerFor(110);
      case 'UDP/IPv4 connected':
        return this.#connected('2 2 0', '127.0.0.1', 8996);
      case 'TCP/IPv4 accepted, loopback, not redirected':
        return (await this.#loopback('2 1 0', '127.0.0.1', 8998)).accepted;
      case 'TCP/IPv4 connecting side, loopback':
        return (await this.#loopback('2 1 0', '127.0.0.1', 8998)).client;
      case 'TCP/IPv6 accepted, IPv6 peer, loopback':
        return (await this.#loopback('10 1 0', '::1', 8997)).accepted;
      case "the client's own socket (other end)":
        return (await this.redirected(40003, `${ORIGIN}:110`)).client;
      case 'duplicate descriptor':
        return asker.copy((await this.redirected(40003, `${ORIGIN}:110`)).accepted);
      case 'same descriptor, caller in another network namespace':
        return (await this.redirected(40003, `${ORIGIN}:110`)).accepted;
      case 'TCP/IPv4 accepted in another network namespace, never redirected':
        return (await this.#namesake()).accepted;
      case 'its client end':
        return (await this.#namesake()).client;
      case "the origin server's accepted socket (other namespace)":
        return (await this.#atOrigin()).accepted;
      case 'accepted from an MPTCP listener, redirected, MPTCP client':
        return (await this.redirected(40008, `${ORIGIN}:112`)).accepted;
      case "the client's own socket":
        return (await this.redirected(port(local), peer ?? '')).client;
    }
    const to = target.includes('not redirected')
      ? `${PROXY}:8110`
      : target.startsWith('AF_INET6')
        ? `${ORIGIN}:111`
        : (decoded ?? `${ORIGIN}:110`);
    return (await this.redirected(clientPort(step), to)).accepted;
  }

  /** A connection from the client's port, or this host's own, to where it meant to go; accepted where it came. */
  redirected(from: number, to: string): Promise<Ends> {
    return memo(this.#connections, String(from), () => this.#redirect(from, to));
  }

  async #redirect(from: number, to: string): Promise<Ends> {
    const { asker, lab } = this;
    const [address = '', toPort = ''] = to.split(':');
    const own = address === PROXY && toPort !== '8110' ? PROXY : address === '127.0.0.1' ? address : null;
    const listener = await this.#listenerFor(Number(toPort));
    await asker.enter(own === null ? lab.client : lab.gateway);
    const client = await asker.make('socket', from === 40008 ? '2 1 262' : '2 1 0');
    await asker.must(`bind ${client} ${own ?? CLIENT} ${from}`);
    await asker.must(`connect ${client} ${address} ${toPort}`);
    return { client, accepted: await asker.accept(listener) };
  }

  async #listenerFor(wanted: number): Promise<number> {
    await this.asker.enter(this.lab.gateway);
    if (wanted === 111) return memo(this.#made, 'dual', () => this.#listen('10 1 0', '::', 8111));
    if (wanted === 112) return memo(this.#made, 'mptcp', () => this.#listen('2 1 262', '0.0.0.0', 8112));
    return memo(this.#made, 'plain', () => this.#listen('2 1 0', '0.0.0.0', 8110));
  }

  async #listen(kind: string, address: string, at: number): Promise<number> {
    const listener = await this.asker.make('socket', kind);
    await this.asker.must(`bind ${listener} ${address} ${at}`);
    await this.asker.must(`listen ${listener}`);
    return listener;
  }

  async #connected(kind: string, address: string, to: number): Promise<number> {
    const client = await this.asker.make('socket', kind);
    await this.asker.must(`connect ${client} ${address} ${to}`);
    return client;
  }

  #loopback(kind: string, address: string, at: number): Promise<Ends> {
    return memo(this.#connections, `loopback ${kind}`, async () => {
      const listener = await this.#listen(kind, address, at);
      const client = await this.#connected(kind, address, at);
      return { client, accepted: await this.asker.accept(listener) };
    });
  }

  /** The same four numbers as the first redirected connection, in a namespace that redirects nothing. */
  #namesake(): Promise<Ends> {
    return memo(this.#connections, 'namesake', async () => {
      await this.asker.enter(this.#elsewhere);
      const listener = await this.#listen('2 1 0', PROXY, 8110);
      const client = await this.asker.make('socket', '2 1 0');
      await this.asker.must(`bind ${client} ${CLIENT} 40003`);
      await this.asker.must(`connect ${client} ${PROXY} 8110`);
      return { client, accepted: await this.asker.accept(listener) };
    });
  }

  #atOrigin(): Promise<Ends> {
    return memo(this.#connections, 'origin', async () => {
      await this.asker.enter(this.lab.server);
      const listener = await this.#listen('2 1 0', '0.0.0.0', 25);
      await this.asker.enter(this.lab.client);
      const client = await this.asker.make('socket', '2 1 0');
      await this.asker.must(`bind ${client} ${CLIENT} 40005`);
      await this.asker.must(`connect ${client} ${ORIGIN} 25`);
      return { client, accepted: await this.asker.accept(listener) };
    });
  }

  async close(): Promise<void> {
    await this.asker.stop();
    this.#elsewhere.close();
    this.lab.close();
  }
}

/** A socket whose connection is over has no peer any more, and a bad pointer left no room to note one. */
export function clientPort({ peer, about }: RecordedOption): number {
  if (peer !== undefined) return port(peer);
  return about === 'reset' ? 40030 : 40003;
}

function port(place: string | undefined): number {
  return Number(place?.split(':').at(-1) ?? 0);
}

function memo<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const there = known.get(key);
  if (there !== undefined) return there;
  const made = make();
  known.set(key, made);
  return made;
}
