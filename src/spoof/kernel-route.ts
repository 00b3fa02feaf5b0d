/**
 * Asks the kernel how it would route a packet that comes in: `ip route get … iif` goes through the very
 * code that received packets take, checks of the source address included (inet_rtm_getroute in
 * net/ipv4/route.c), and sends nothing.
 */

import { readWith } from '../host/run.ts';
import type { Endpoint, Protocol, Step } from '../verdict.ts';

export interface IncomingRoute {
  /**
   * elsewhere: forwarded, or no route and dropped · martian: its source address is not valid on that interface ·
   * unread: `ip` could not be asked.
   */
  fate: 'local' | 'elsewhere' | 'martian' | 'unread';
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
  if (text === null) return { fate: fateOf(step.detail), step };
  const [row] = JSON.parse(text.trim() || '[]') as Row[];
  const type = row?.type ?? 'unicast';
  return { fate: type === 'local' ? 'local' : 'elsewhere', step: { ...step, detail: type } };
}

/** EINVAL, or EXDEV on older kernels: fib_validate_source. Other errors: no route, or forwarding is off. */
function fateOf(words: string): IncomingRoute['fate'] {
  if (!words.startsWith('RTNETLINK answers:')) return 'unread';
  return /Invalid (argument|cross-device link)/.test(words) ? 'martian' : 'elsewhere';
}
