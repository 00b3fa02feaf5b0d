/**
 * A private network that vanishes with the process:
 *
 *     client ── gateway ── server
 *
 * Addresses are of the documentation ranges (RFC 5737, RFC 3849). The namespaces are held by
 * descriptors alone: no name in /run/netns, no mount, no process stays behind, however it ends.
 */

import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { Native } from '../native.ts';
import type { Family } from '../verdict.ts';
import { LabError, LabHost } from './host.ts';

/** Addresses by family. */
export type Addresses = Record<Family, string>;

export const CLIENT: Addresses = { 4: '192.0.2.2', 6: '2001:db8:1::2' };
/** The gateway's address on the client's side. */
export const GATEWAY: Addresses = { 4: '192.0.2.1', 6: '2001:db8:1::1' };
/** The gateway's address on the server's side. */
export const UPLINK: Addresses = { 4: '198.51.100.1', 6: '2001:db8:2::1' };
export const SERVER: Addresses = { 4: '198.51.100.2', 6: '2001:db8:2::2' };

/** Locally administered, RFC 5342. */
const MAC = {
  client: '02:00:00:00:00:01',
  inside: '02:00:00:00:00:02',
  outside: '02:00:00:00:00:03',
  server: '02:00:00:00:00:04',
};

export class Lab {
  readonly client: LabHost;
  readonly gateway: LabHost;
  readonly server: LabHost;
  readonly families: readonly Family[];

  /** @throws {import('./host.ts').LabError} when it cannot be built; nothing is left behind */
  constructor(native: Native, families: readonly Family[] = [4, 6]) {
    this.families = families;
    const built: LabHost[] = [];
    const make = (name: string) => {
      const host = new LabHost(native, name);
      built.push(host);
      return host;
    };
    try {
      this.client = make('client');
      this.gateway = make('gateway');
      this.server = make('server');
      this.#wire();
    } catch (error) {
      for (const host of built) host.close();
      throw error;
    }
  }

  get hosts(): readonly LabHost[] {
    return [this.client, this.gateway, this.server];
  }

  #wire(): void {
    for (const host of this.hosts) this.#settle(host);
    this.gateway.ip(
      'link set lo up',
      // Different numbers: to linkwatch_urgent_event (net/core/link_watch.c) ends of the same number are
      // one plain device, whose coming up may wait a second.
      `link add inside index 11 address ${MAC.inside} type veth peer name eth0 index 21 address ${MAC.client} netns ${this.client.path}`,
      `link add outside index 12 address ${MAC.outside} type veth peer name eth0 index 22 address ${MAC.server} netns ${this.server.path}`,
      ...this.families.flatMap((family) => [
        addAddress(GATEWAY, family, 'inside'),
        addAddress(UPLINK, family, 'outside'),
      ]),
      'link set inside up',
      'link set outside up',
      ...this.families.flatMap((family) => [
        knowNeighbour(CLIENT, family, MAC.client, 'inside'),
        knowNeighbour(SERVER, family, MAC.server, 'outside'),
      ]),
    );
    this.#join(this.client, CLIENT, GATEWAY, MAC.inside);
    this.#join(this.server, SERVER, UPLINK, MAC.outside);
    awaitReady(this.gateway, () => areRunning(['inside', 'outside']));
    if (!this.families.includes(6)) return;
    awaitReady(this.client, () => areLocal(1));
    awaitReady(this.gateway, () => areLocal(2));
    awaitReady(this.server, () => areLocal(1));
  }

  /**
   * What a new namespace takes over from the host's (devinet_init_net in net/ipv4/devinet.c copies its
   * settings) is set to what every proof expects. IPv6 addresses are usable at once: no duplicate
   * address detection, no router solicitations.
   */
  #settle(host: LabHost): void {
    if (this.families.includes(4)) {
      for (const scope of ['all', 'default']) {
        host.sysctl(`net.ipv4.conf.${scope}.rp_filter`, 0);
        host.sysctl(`net.ipv4.conf.${scope}.src_valid_mark`, 0);
      }
      if (host === this.gateway) host.sysctl('net.ipv4.ip_forward', 1);
    }
    if (this.families.includes(6)) {
      host.sysctl('net.ipv6.conf.default.accept_dad', 0);
      host.sysctl('net.ipv6.conf.default.router_solicitations', 0);
      if (host === this.gateway) host.sysctl('net.ipv6.conf.all.forwarding', 1);
    }
  }

  #join(host: LabHost, own: Addresses, via: Addresses, mac: string): void {
    host.ip(
      'link set lo up',
      ...this.families.map((family) => addAddress(own, family, 'eth0')),
      'link set eth0 up',
      ...this.families.map((family) => knowNeighbour(via, family, mac, 'eth0')),
      ...this.families.map((family) => `route add default via ${via[family]}`),
    );
  }

  /** The network as a person would draw it. */
  topology(): string[] {
    return [
      'client ── eth0 ══ inside ── gateway ── outside ══ eth0 ── server',
      ...this.families.map(
        (family) =>
          `${CLIENT[family]} ══ ${GATEWAY[family]} ─ gateway ─ ${UPLINK[family]} ══ ${SERVER[family]}`,
      ),
    ];
  }

  close(): void {
    for (const host of this.hosts) host.close();
  }
}

const LIMIT_MS = 5000;
const PAUSE_MS = 0.5;

/**
 * Workers of the kernel finish what `ip` began. The end of a veth pair that was brought up first drops
 * every packet until its other end has been noticed (linkwatch_do_dev in net/core/link_watch.c), and an IPv6
 * address is in use once addrconf_dad_work (net/ipv6/addrconf.c) has run.
 */
function awaitReady(host: LabHost, ready: () => boolean): void {
  const end = performance.now() + LIMIT_MS;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  while (!host.within(ready)) {
    if (performance.now() > end) throw new LabError(`the links of ${host.name} do not come up`);
    Atomics.wait(pause, 0, 0, PAUSE_MS);
  }
}

/** Node lists a link once it is running. */
function areRunning(links: readonly string[]): boolean {
  const running = Object.keys(networkInterfaces());
  return links.every((link) => running.includes(link));
}

/** Are so many of the lab's addresses local in the routing table? Columns: rt6_info_route in net/ipv6/route.c. */
function areLocal(count: number): boolean {
  const routes = readFileSync('/proc/thread-self/net/ipv6_route', 'utf8').split('\n');
  const local = routes.filter((line) => Number(`0x${line.split(/\s+/)[8]}`) & RTF_LOCAL);
  return local.filter((line) => line.startsWith(PREFIX)).length >= count;
}

/** linux/ipv6_route.h */
const RTF_LOCAL = 0x80000000;
/** 2001:db8::/32 */
const PREFIX = '20010db8';

/**
 * Every neighbour is known beforehand: a first datagram that waits for neighbour discovery can be late by a
 * second, because a router asks from its link-local address, and that may not be in use yet.
 */
function knowNeighbour(addresses: Addresses, family: Family, mac: string, link: string): string {
  return `neighbour add ${addresses[family]} lladdr ${mac} dev ${link} nud permanent`;
}

function addAddress(addresses: Addresses, family: Family, link: string): string {
  return family === 4
    ? `address add ${addresses[4]}/24 dev ${link}`
    : `address add ${addresses[6]}/64 dev ${link} nodad`;
}
