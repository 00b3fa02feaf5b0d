/**
 * A private network that vanishes with the process:
 *
 *     client ── gateway ── server
 *
 * Addresses are of the documentation ranges (RFC 5737, RFC 3849). The namespaces are held by
 * descriptors alone: no name in /run/netns, no mount, no process stays behind, however it ends.
 */

import type { Native } from '../native.ts';
import type { Family } from '../verdict.ts';
import { LabHost } from './host.ts';

/** Addresses by family. */
export type Addresses = Record<Family, string>;

export const CLIENT: Addresses = { 4: '192.0.2.2', 6: '2001:db8:1::2' };
/** The gateway's address on the client's side. */
export const GATEWAY: Addresses = { 4: '192.0.2.1', 6: '2001:db8:1::1' };
/** The gateway's address on the server's side. */
export const UPLINK: Addresses = { 4: '198.51.100.1', 6: '2001:db8:2::1' };
export const SERVER: Addresses = { 4: '198.51.100.2', 6: '2001:db8:2::2' };

export class Lab {
  readonly client: LabHost;
  readonly gateway: LabHost;
  readonly server: LabHost;

  /** @throws {import('./host.ts').LabError} when it cannot be built; nothing is left behind */
  constructor(native: Native) {
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
    for (const host of this.hosts) silenceIpv6(host);
    this.gateway.ip(
      'link set lo up',
      `link add inside type veth peer name eth0 netns ${this.client.path}`,
      `link add outside type veth peer name eth0 netns ${this.server.path}`,
      `address add ${GATEWAY[4]}/24 dev inside`,
      `address add ${GATEWAY[6]}/64 dev inside nodad`,
      `address add ${UPLINK[4]}/24 dev outside`,
      `address add ${UPLINK[6]}/64 dev outside nodad`,
      'link set inside up',
      'link set outside up',
    );
    this.gateway.sysctl('net.ipv4.ip_forward', 1);
    this.gateway.sysctl('net.ipv6.conf.all.forwarding', 1);
    end(this.client, CLIENT, GATEWAY);
    end(this.server, SERVER, UPLINK);
  }

  close(): void {
    for (const host of this.hosts) host.close();
  }
}

/** No router solicitations, no duplicate address detection: an address is usable at once. */
function silenceIpv6(host: LabHost): void {
  host.sysctl('net.ipv6.conf.default.accept_dad', 0);
  host.sysctl('net.ipv6.conf.default.router_solicitations', 0);
}

function end(host: LabHost, own: Addresses, via: Addresses): void {
  host.ip(
    'link set lo up',
    `address add ${own[4]}/24 dev eth0`,
    `address add ${own[6]}/64 dev eth0 nodad`,
    'link set eth0 up',
    `route add default via ${via[4]}`,
    `route add default via ${via[6]}`,
  );
}
