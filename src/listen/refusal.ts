/** Why a listener cannot stand where it was asked for, with the exit code for it. */

import { readFileSync } from 'node:fs';
import { isDenied, said } from '../conclusion.ts';
import { formatEndpoint } from '../endpoint.ts';
import { ExitCode, Failure } from '../exit-codes.ts';
import { allProcesses, commandName, socketHandles } from '../host/processes.ts';
import type { Native } from '../native.ts';
import type { Endpoint, Protocol, Step } from '../verdict.ts';
import { ownAddresses } from './address.ts';

/** net/tcp_states.h */
const LISTEN = 10;

/** bind(2) or listen(2) was refused. */
export function placeRefused(native: Native, place: Endpoint, protocol: Protocol, step: Step): Failure {
  switch (step.errorName) {
    case 'EADDRINUSE':
      return taken(native, place, protocol);
    case 'EACCES':
      return new Failure(
        ExitCode.notPermitted,
        `port ${place.port} is below ${firstFreePort()} (net.ipv4.ip_unprivileged_port_start): ` +
          `it takes CAP_NET_BIND_SERVICE, ${step.call} says EACCES`,
        `sudo origdst listen-test --port ${place.port}`,
      );
    case 'EADDRNOTAVAIL':
      return new Failure(
        ExitCode.usage,
        `${place.address} is no address of this host; it has: ${[...ownAddresses()].join(', ')}`,
        'ip -brief address',
      );
    default:
      return new Failure(
        ExitCode.internal,
        `cannot listen on ${formatEndpoint(place)}: ${step.call} says ${step.errorName}`,
      );
  }
}

/** `--mechanism tproxy4`, and the option that it cannot do without was refused. */
export function transparencyRefused(step: Step): Failure {
  if (isDenied(step)) {
    return new Failure(
      ExitCode.notPermitted,
      `a listener for TPROXY takes CAP_NET_ADMIN or CAP_NET_RAW: ${said(step)}`,
      'run the same command as root (sudo)',
    );
  }
  return new Failure(
    ExitCode.notHere,
    `this kernel has no transparent listeners: ${said(step)}`,
    'origdst capabilities --mechanism tproxy4',
  );
}

/** What sock_diag(7) does not list as a listener, and bind(2) refuses to share a port with. */
const UNHELD = 'no listener: by connections of an earlier one that are still closing, or by a bound socket';

function taken(native: Native, { port }: Endpoint, protocol: Protocol): Failure {
  const inodes = new Set(
    ([6, 4] as const)
      .flatMap((family) => native.sockets(family, protocol).sockets)
      .filter(({ local, state }) => local.port === port && (protocol === 'udp' || state === LISTEN))
      .map(({ inode }) => inode),
  );
  const { handles } = socketHandles(allProcesses());
  const holders = new Set(
    handles
      .filter(({ inode }) => inodes.has(inode))
      .map(({ pid }) => `${commandName(pid) ?? 'process'}[${pid}]`),
  );
  const by = inodes.size === 0 ? UNHELD : holders.size === 0 ? 'another user' : [...holders].join(', ');
  const flag = protocol === 'udp' ? 'u' : 't';
  return new Failure(
    ExitCode.usage,
    `${protocol} port ${port} is taken by ${by}`,
    `ss -ln${flag}p 'sport = :${port}'   # or let the kernel choose: --port 0`,
  );
}

function firstFreePort(): number {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
  } catch {
    return 1024;
  }
}
