/** A call was refused: by this host's kernel, or by someone on the way. Says which, and by whom. */

import { said } from '../conclusion.ts';
import { formatEndpoint } from '../endpoint.ts';
import { FOREIGN_ADDRESS, FOREIGN_PRIVILEGE, isLinux } from '../host/socket-numbers.ts';
import type { Step } from '../verdict.ts';
import { assignmentRefused } from './assignment.ts';
import { type Explained, explained, type Facts } from './facts.ts';
import { icmpWords, isPortUnreachable } from './icmp.ts';
import { concludeNotSent } from './not-sent.ts';
import type { Packet } from './packet.ts';
import type { Stage } from './report.ts';

const AS_ROOT = 'run the same command as root (sudo)';

export function concludeRefusal(facts: Facts, failed: Stage): Explained {
  const step = failed.steps.findLast(({ errorName }) => errorName !== null);
  switch (failed.stage) {
    case 'socket':
    case 'option':
      return failed.verdict === 'denied' ? notPermitted(step) : noOption(facts, step);
    case 'control':
      return ownAddress(facts, failed);
    case 'bind':
      return bindRefused(facts, step);
    case 'assign':
      return assignmentRefused(facts, step);
    case 'connect':
      return noRoute(facts, step);
    default:
      return answered(facts, failed, step);
  }
}

function notPermitted(step: Step | undefined): Explained {
  const what =
    step?.call === 'setns'
      ? 'Entering another network namespace takes CAP_SYS_ADMIN'
      : `Sending from a foreign address takes ${FOREIGN_PRIVILEGE}`;
  return explained('denied', 'not-permitted', `${what}: ${said(step)}.`, AS_ROOT);
}

function noOption({ flow, request }: Facts, step: Step | undefined): Explained {
  if (request.mechanism === 'tproxy2') {
    return explained(
      'unsupported',
      'no-option',
      `This kernel does not carry the TPROXY 2 patch: ${said(step)}.`,
      'origdst capabilities --mechanism tproxy2   # --mechanism tproxy4 is what replaced it',
    );
  }
  return explained(
    'unsupported',
    step?.errorName === 'EAFNOSUPPORT' ? 'no-address-family' : 'no-option',
    `This kernel has no transparent IPv${flow.local.family} sockets: ${said(step)}.`,
    `origdst capabilities --mechanism ${FOREIGN_ADDRESS}`,
  );
}

function ownAddress({ flow }: Facts, { note }: Stage): Explained {
  return explained(
    'own-address',
    'own-address',
    `Nothing is proven, and nothing was sent: a socket without the option can be bound to ${flow.local.address} as ` +
      `well, for ${note}.`,
    `${isLinux ? 'ip -brief address' : 'ifconfig -a'}   # name an address that is not listed here: --source ADDRESS`,
  );
}

function bindRefused({ flow, request }: Facts, step: Step | undefined): Explained {
  const { port } = flow.local;
  if (step?.errorName === 'EADDRINUSE') {
    const list = request.protocol === 'tcp' ? 'ss -tanp' : 'ss -uanp';
    return explained(
      'failed',
      'port-in-use',
      `Source port ${port} is taken on this host: ${said(step)}.`,
      `${list} 'sport = :${port}'   # or let the kernel choose: --source ${flow.local.address}`,
    );
  }
  if (step?.errorName === 'EACCES') {
    return explained(
      'denied',
      'privileged-port',
      `Source port ${port} takes CAP_NET_BIND_SERVICE (net.ipv4.ip_unprivileged_port_start): ${said(step)}.`,
      AS_ROOT,
    );
  }
  return explained(
    'failed',
    'bind-refused',
    `${flow.local.address} cannot be bound to, not even with the option: ${said(step)}.`,
    `origdst capabilities --mechanism ${FOREIGN_ADDRESS}`,
  );
}

/** Refused before anything was sent. EACCES and EPERM are the route's or a filter's, not a missing capability. */
function noRoute({ flow }: Facts, step: Step | undefined): Explained {
  const { peer } = flow;
  if (step?.errorName === 'EADDRNOTAVAIL') {
    return explained(
      'failed',
      'pair-in-use',
      `A connection between these two addresses and ports is open or was closed a moment ago: ${said(step)}.`,
      `ss -tan 'dst = ${formatEndpoint(peer)}'   # or let the kernel choose the port: --source ${flow.local.address}`,
    );
  }
  const why =
    step?.errorName === 'EACCES'
      ? 'a route of type prohibit, or a security module'
      : step?.errorName === 'EPERM'
        ? 'a cgroup program or a security module'
        : 'no route leads there';
  return explained(
    'unreachable',
    'no-route',
    `This host itself does not send to ${peer.address} (${why}): ${said(step)}.`,
    `ip -${peer.family} route get ${peer.address}   # then: ip -${peer.family} route add ${peer.address} via ROUTER`,
  );
}

/** The handshake or the exchange ended with an error that someone sent. */
function answered(facts: Facts, failed: Stage, step: Step | undefined): Explained {
  const { flow, sighting } = facts;
  if (failed.stage === 'data' && facts.request.protocol === 'tcp') return brokenOff(facts, step);
  if (step?.errorName === 'ECONNREFUSED') return refused(facts, sighting?.icmp ?? null);
  // sendto(2) of a datagram says EPERM when the output hook drops it: no capability would help.
  if (step?.call === 'send' && step.errorName === 'EPERM') return concludeNotSent(facts);
  if (sighting?.icmp) return unreachable(facts, sighting.icmp);
  return explained(
    'unreachable',
    'unreachable',
    `${formatEndpoint(flow.peer)} cannot be reached: ${said(step)}` +
      `${sighting === null ? '; who said so is not known, for the wire was not watched' : ''}.`,
    `ip -${flow.peer.family} route get ${flow.peer.address}`,
  );
}

function brokenOff({ flow }: Facts, step: Step | undefined): Explained {
  return explained(
    'unexpected-data',
    'reset',
    `The connection from the foreign address works, and ${formatEndpoint(flow.peer)} broke it off: ${said(step)}.`,
    'origdst spoof-connect --json   # and the same arguments: “received” has what came before',
  );
}

/** RST, or ICMP port unreachable; the latter may have been seen on the wire only. */
function refused({ flow, request, stages }: Facts, icmp: Packet | null): Explained {
  const { port } = flow.peer;
  const isTold = stages.at(-1)?.verdict !== 'waiting';
  const how = icmp?.icmp ? `ICMP ${icmpWords(icmp.icmp, flow.peer.family)} from ${icmp.from.address}` : 'RST';
  const list = request.protocol === 'tcp' ? 'ss -ltnp' : 'ss -lunp';
  return explained(
    'refused',
    'refused',
    `${formatEndpoint(flow.peer)} refused (${how}): nothing listens there, or a firewall rejects. ` +
      (isTold
        ? 'The foreign address itself works: the refusal came back to the socket.'
        : 'The refusal was seen on the wire and did not reach the socket; a reply may not reach it either.'),
    `${list} 'sport = :${port}'   # on ${flow.peer.address}`,
  );
}

export function unreachable(facts: Facts, icmp: Packet): Explained {
  const { flow } = facts;
  if (icmp.icmp === null) throw new Error('not an ICMP error');
  if (isPortUnreachable(icmp.icmp, flow.peer.family)) return refused(facts, icmp);
  return explained(
    'unreachable',
    'unreachable',
    `${formatEndpoint(flow.peer)} cannot be reached: ${icmp.from.address} answered “${icmpWords(icmp.icmp, flow.peer.family)}” ` +
      `(ICMP type ${icmp.icmp.type} code ${icmp.icmp.code}, seen on ${icmp.interface}).`,
    `ip -${flow.peer.family} route get ${flow.peer.address}   # on ${icmp.from.address}; and its firewall`,
  );
}
