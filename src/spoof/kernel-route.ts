/**
 * Asks the kernel how it would route a packet that comes in: `ip route get … iif` goes through the very
 * code that received packets take, checks of the source address included (inet_rtm_getroute in
 * net/ipv4/route.c), and sends nothing.
 */

import { readWith } from '../host/run.ts';
import type { Endpoint, Protocol, Step } from '../verdict.ts';

export interface IncomingRoute {
  /** rejected: the source address is not valid there, or no route · unread: `ip` could not be asked. */
  fate: 'local' | 'forwarded' | 'rejected' | 'unread';
  step: Step;
}

interface Row {
  type?: string;
}

/** @param mark the packet's mark once the prerouting hook is left; 0: none */
export function routeIncoming(
  from: Endpoint,
  to: Endpoint,
  protocol: Protocol,
  iif: string,
  mark: number,
): IncomingRoute {
  const { text, step } = readWith(
    ...(['ip', `-${to.family}`, '-j', 'route', 'get', to.address, 'from', from.address] as const),
    ...['iif', iif, 'ipproto', protocol, 'sport', String(from.port), 'dport', String(to.port)],
    ...(mark === 0 ? [] : ['mark', String(mark)]),
  );
  if (text === null) return { fate: /RTNETLINK/.test(step.detail) ? 'rejected' : 'unread', step };
  const [row] = JSON.parse(text.trim() || '[]') as Row[];
  const type = row?.type ?? 'unicast';
  return { fate: fateOf(type), step: { ...step, detail: type } };
}

/** ip -6 shows a route of type unreachable, where IPv4 answers with an error. */
function fateOf(type: string): IncomingRoute['fate'] {
  if (type === 'local') return 'local';
  return type === 'unicast' ? 'forwarded' : 'rejected';
}
