/** `--port N`: every connection accepted on a listener, whoever holds it. */

import { networkInterfaces } from 'node:os';
import { ExitCode, Failure } from '../exit-codes.ts';
import { allProcesses, socketHandles } from '../host/processes.ts';
import type { Subject } from '../inquiry.ts';
import type { HostSocket, Native } from '../native.ts';
import type { Endpoint, Protocol } from '../verdict.ts';
import { acceptedBy, connections, hostSockets } from './process.ts';
import { type Borrowed, subject } from './subject.ts';

const LISTEN = 10;

/**
 * @param netns namespace of the listener, null for this process's own
 * @throws {Failure} when nothing listens on the port there.
 */
export function fromListener(
  native: Native,
  borrowed: Borrowed,
  port: number,
  protocol: Protocol,
  netns: Subject['netns'],
): Subject[] {
  const listeners = hostSockets(native, netns, protocol).filter(
    (socket) =>
      socket.local.port === port && (protocol === 'udp' ? socket.peer.port === 0 : socket.state === LISTEN),
  );
  if (listeners.length === 0) {
    const where = netns === null ? '' : ` in namespace ${netns.name}`;
    throw new Failure(
      ExitCode.no,
      `nothing listens on ${protocol} port ${port}${where}`,
      `ss -ln '( sport = :${port} )'`,
    );
  }
  return protocol === 'udp'
    ? trackedPeers(native, listeners, port, netns)
    : acceptedOn(native, borrowed, listeners, port, netns);
}

/**
 * TCP: sockets with the port, and transparent ones (whose port is the original destination's) of the
 * processes that hold a transparent listener. A connection without a holder, or with one that is
 * hidden from this user, is asked about by its addresses.
 */
function acceptedOn(
  native: Native,
  borrowed: Borrowed,
  listeners: readonly HostSocket[],
  port: number,
  netns: Subject['netns'],
): Subject[] {
  const transparent = listeners.some((listener) => listener.transparent);
  const inodes = new Set(listeners.map((listener) => listener.inode));
  const { handles } = socketHandles(allProcesses());
  const holders = new Set(handles.filter((handle) => inodes.has(handle.inode)).map((handle) => handle.pid));
  const here = connections(native, netns, 'tcp');
  const candidates = [...here.values()].filter(
    (socket) => socket.local.port === port || (transparent && socket.transparent),
  );
  const wanted = new Set(candidates.map((socket) => socket.inode));
  const holding = new Set(
    handles
      .filter(
        (handle) =>
          wanted.has(handle.inode) &&
          (here.get(handle.inode)?.local.port === port || holders.has(handle.pid)),
      )
      .map((handle) => handle.pid),
  );
  const held = acceptedBy(native, borrowed, [...holding], 'tcp', (socket) => wanted.has(socket.inode));
  const reached = new Set(held.map((one) => key(one.peer, one.local)));
  const rest = candidates
    .filter((socket) => socket.local.port === port && !reached.has(key(socket.peer, socket.local)))
    .map((socket) => subject({ protocol: 'tcp', peer: socket.peer, local: socket.local, netns }));
  return [...held, ...rest];
}

/** UDP: an unconnected socket has no peers of its own; connection tracking knows who talks to it. */
function trackedPeers(
  native: Native,
  listeners: readonly HostSocket[],
  port: number,
  netns: Subject['netns'],
): Subject[] {
  const answers = ([4, 6] as const).map((family) => native.tracked(family, 'udp', port, netns?.fd));
  const refused = answers.flatMap(({ steps }) => steps).find((step) => step.errorName !== null);
  if (refused !== undefined) {
    const permission = refused.errorName === 'EPERM' || refused.errorName === 'EACCES';
    throw new Failure(
      permission ? ExitCode.notPermitted : ExitCode.notHere,
      `the peers of a UDP listener are only known to connection tracking: ${refused.call} says ${refused.errorName}` +
        (permission ? ', it needs CAP_NET_ADMIN' : ''),
      permission ? 'run the same command as root (sudo)' : 'modprobe nf_conntrack_netlink',
    );
  }
  const own = ownAddresses(native, netns);
  const any = listeners.some((listener) => ['0.0.0.0', '::'].includes(listener.local.address));
  const bound = new Set(listeners.map((listener) => listener.local.address));
  return answers
    .flatMap(({ flows }) => flows)
    .filter(({ local }) => bound.has(local.address) || (any && own.has(local.address)))
    .map(({ peer, local, zone }) => subject({ protocol: 'udp', peer, local, zone, netns }));
}

/** The table also has connections that are only forwarded: to other hosts' ports of this number. */
function ownAddresses(native: Native, netns: Subject['netns']): Set<string> {
  const read = () => Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const addresses = netns === null ? read() : native.inNamespace(netns.fd, read);
  return new Set(addresses.map(({ address }) => address));
}

function key(peer: Endpoint | null, local: Endpoint | null): string {
  return `${peer?.address} ${peer?.port} ${local?.address} ${local?.port}`;
}
