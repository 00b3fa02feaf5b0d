/** The listening descriptor: made, bound and made transparent here; Node's event loop takes it over. */

import { catalogue } from '../../platforms/index.ts';
import { isDenied, said } from '../conclusion.ts';
import {
  DATAGRAM_DESTINATION,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  isLinux,
  SO_REUSEADDR,
  SOL_SOCKET,
} from '../host/socket-numbers.ts';
import type { Native } from '../native.ts';
import type { Endpoint, Family, Protocol, Step } from '../verdict.ts';
import { parseListenAddress } from './address.ts';
import type { ListenRequest } from './arrival.ts';
import { placeRefused, transparencyRefused } from './refusal.ts';

const SOL_IP = 0;
const IP_RECVORIGDSTADDR = 20;
const IPV6_RECVORIGDSTADDR = 74;

/** The kernel cuts it to net.core.somaxconn. */
export const BACKLOG = 65_535;

export interface ListeningSocket {
  fd: number;
  /** Where it is bound, with the port that was chosen. */
  bound: Endpoint;
  families: Family[];
  transparent: boolean;
  notes: string[];
}

/** @throws {import('../exit-codes.ts').Failure} when it cannot stand there; nothing is left open */
export function openListener(native: Native, request: ListenRequest): ListeningSocket {
  const { protocol, mechanism } = request;
  const { fd, place, families, notes } = openFor(native, request);
  try {
    bind(native, fd, place, protocol);
    const transparency =
      mechanism === 'auto' || mechanism === 'tproxy4'
        ? transparent(native, fd, place.family, protocol)
        : null;
    if (transparency !== null && transparency.errorName !== null) {
      if (mechanism === 'tproxy4') throw transparencyRefused(transparency);
      notes.push(withoutTransparency(transparency));
    }
    if (protocol === 'udp') receiveDestinations(native, fd, place.family);
    else check(native, native.listen(fd, BACKLOG), place, protocol);
    const bound = native.describe(fd).local ?? place;
    return { fd, bound, families, transparent: transparency?.errorName === null, notes };
  } catch (error) {
    native.close(fd);
    throw error;
  }
}

/** A dual-stack socket unless an IPv4 address was named, there is no IPv6, or the mechanism knows none of its sockets. */
function openFor(native: Native, { address, port, protocol, mechanism }: ListenRequest) {
  const named = address === null ? anyAddress(mechanism, port) : parseListenAddress(address, port);
  const notes: string[] = [];
  if (named?.family !== 4) {
    const { fd, steps } = native.openSocket(6, protocol);
    if (fd !== null) {
      native.setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
      const place: Endpoint = named ?? { address: '::', port, family: 6 };
      const families: Family[] = place.address === '::' ? [4, 6] : [6];
      return { fd, place, families, notes };
    }
    if (named !== null) throw placeRefused(native, named, protocol, steps.at(-1) as Step);
    notes.push(`IPv4 only: ${said(steps.at(-1))}.`);
  }
  const place: Endpoint = named ?? { address: '0.0.0.0', port, family: 4 };
  const { fd, steps } = native.openSocket(4, protocol);
  if (fd === null) throw placeRefused(native, place, protocol, steps.at(-1) as Step);
  return { fd, place, families: [4] as Family[], notes };
}

/** IPFIRE and TPROXY 2 answer for AF_INET sockets only, and not for IPv4 connections of others. */
function anyAddress(name: string, port: number): Endpoint | null {
  const mechanism = catalogue.find((one) => one.name === name);
  if (mechanism === undefined || mechanism.questions.some(({ family }) => family === 6)) return null;
  return { address: '0.0.0.0', port, family: 4 };
}

/**
 * Before the socket is transparent, so that an address of another host is still refused; the option
 * counts when packets come (inet_sk_transparent), not now. A TCP port in TIME_WAIT may be taken again;
 * a datagram port may not be shared at bind, or a busy one would look free. It is made shareable
 * afterwards: the sockets that answer in a flow's own name bind the same port (udp_v4_get_port).
 */
function bind(native: Native, fd: number, place: Endpoint, protocol: Protocol): void {
  if (protocol === 'tcp') native.setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  check(native, native.bind(fd, place), place, protocol);
  if (protocol === 'udp') native.setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
}

function check(native: Native, step: Step, place: Endpoint, protocol: Protocol): void {
  if (step.errorName !== null) throw placeRefused(native, place, protocol, step);
}

/** The step that decided; null where this system's TPROXY is another mechanism. */
function transparent(native: Native, fd: number, family: Family, protocol: Protocol): Step | null {
  if (!native.mechanisms().includes('tproxy4')) return null;
  const { steps } = native.prepare('tproxy4', fd, { operation: 'accept', family, protocol });
  return steps[0] ?? null;
}

function withoutTransparency(step: Step): string {
  return isDenied(step)
    ? `TPROXY cannot deliver here, which takes CAP_NET_ADMIN or CAP_NET_RAW: ${said(step)}.`
    : `TPROXY cannot deliver here: ${said(step)}.`;
}

/** With every datagram its destination. A dual-stack socket needs both options (ip(7), udp.c). */
function receiveDestinations(native: Native, fd: number, family: Family): void {
  if (isLinux) {
    native.setOption(fd, SOL_IP, IP_RECVORIGDSTADDR, 1);
    if (family === 6) native.setOption(fd, IPPROTO_IPV6, IPV6_RECVORIGDSTADDR, 1);
    return;
  }
  const teller = DATAGRAM_DESTINATION.find((name) => native.mechanisms().includes(name));
  if (teller !== undefined) native.prepare(teller, fd, { operation: 'accept', family, protocol: 'udp' });
}
