/**
 * TPROXY 2 cannot bind to a foreign address: the socket is bound to an address of this host's own, and is then
 * assigned the foreign one, which the patch's NAT puts in its place on the wire.
 */

import { isDenied, said } from '../conclusion.ts';
import { formatEndpoint } from '../endpoint.ts';
import type { Native } from '../native.ts';
import type { Endpoint, Step } from '../verdict.ts';
import { type Explained, explained, type Facts } from './facts.ts';
import type { Packet } from './packet.ts';
import type { Stage } from './report.ts';
import type { SpoofRequest } from './request.ts';
import { stage } from './socket.ts';

/** `source` is the foreign address, with the port that it will have on the wire unless NAT finds it taken. */
export function bindAndAssign(
  native: Native,
  fd: number,
  request: SpoofRequest,
): { stages: Stage[]; source: Endpoint } {
  const { source, target, protocol } = request;
  const { own, steps } = ownAddress(native, request);
  if (own === null) return { stages: [stage('bind', steps)], source };
  const bind = { ...native.bind(fd, own), target: 'own address', detail: formatEndpoint(own) };
  const bound = stage('bind', [...steps, bind]);
  if (bound.verdict !== 'ok') return { stages: [bound], source };
  const question = { operation: 'spoof', family: source.family, protocol } as const;
  const assigned = stage('assign', native.assign('tproxy2', fd, question, source, target).steps);
  const port = source.port === 0 ? (native.describe(fd).local?.port ?? 0) : source.port;
  return { stages: [bound, assigned], source: { ...source, port } };
}

/** The address that this host itself would use towards the target: a connected datagram socket has it. */
function ownAddress(
  native: Native,
  { target, netns }: SpoofRequest,
): { own: Endpoint | null; steps: Step[] } {
  const { fd, steps } = native.openSocket(target.family, 'udp', netns?.fd);
  if (fd === null) return { own: null, steps };
  const connect = {
    ...native.connect(fd, target),
    detail: 'datagram socket: asks for a route, sends nothing',
  };
  const local = connect.errorName === null ? native.describe(fd).local : null;
  native.close(fd);
  return { own: local === null ? null : { ...local, port: 0 }, steps: [...steps, connect] };
}

/** The source's order of checks: privilege, connected already, not bound, assigned already, taken by another. */
export function assignmentRefused({ flow }: Facts, step: Step | undefined): Explained {
  const foreign = formatEndpoint(flow.local);
  if (isDenied(step)) {
    return explained(
      'denied',
      'not-permitted',
      `Assigning a foreign address takes CAP_NET_ADMIN: ${said(step)}.`,
      'run the same command as root (sudo)',
    );
  }
  if (step?.errorName === 'EADDRINUSE' || step?.errorName === 'EEXIST') {
    return explained(
      'failed',
      'assignment-in-use',
      `${step.errorName === 'EEXIST' ? 'The local address and port of the socket' : foreign} is in another socket’s assignment: ${said(step)}.`,
      `cat /proc/net/tproxy   # or let the port be any: --source ${flow.local.address}`,
    );
  }
  return explained(
    'failed',
    'assignment-refused',
    `The patch does not assign ${foreign} to the socket: ${said(step)}.`,
    'origdst capabilities --mechanism tproxy2',
  );
}

/** The reply came in, and was not translated back. */
export function notTranslatedBack({ flow }: Facts, reply: Packet): Explained {
  return explained(
    'dropped-here',
    'not-translated-back',
    `A reply to ${flow.local.address} came in on ${reply.interface}, and the patch’s NAT did not hand it to the socket.`,
    'cat /proc/net/tproxy; cat /proc/net/ip_conntrack   # is the assignment there, and the connection?',
  );
}
