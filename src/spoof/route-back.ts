/** How this host and the target see each other: the address that replies must be sent back to, and by whom. */

import type { Namespace } from '../host/namespaces.ts';
import { readWith } from '../host/run.ts';
import type { Native } from '../native.ts';
import type { Endpoint, Step } from '../verdict.ts';
import { awaitHandshake, type Patience, startConnect } from './conversation.ts';

export interface WayBack {
  /** This host's own address towards the target: the next hop that replies need. null: no route. */
  nextHop: string | null;
  /** The router between, whose route it is that must be mended. null: the target is on the link, or not known. */
  router: string | null;
  steps: Step[];
}

/** connect(2) of a datagram socket chooses the source address by the routes, and sends nothing. */
export function wayBack(native: Native, target: Endpoint, netns: Namespace | null): WayBack {
  const { fd, steps } = native.openSocket(target.family, 'udp', netns?.fd);
  if (fd === null) return { nextHop: null, router: null, steps };
  const connect = { ...native.connect(fd, target), target: 'target address', detail: 'from an own address' };
  const own = connect.errorName === null ? native.describe(fd).local : null;
  native.close(fd);
  const read = () => readWith('ip', `-${target.family}`, '-j', 'route', 'get', target.address);
  const route = netns === null ? read() : native.inNamespace(netns.fd, read);
  const [row] = route.text === null ? [] : (JSON.parse(route.text.trim() || '[]') as { gateway?: string }[]);
  return {
    nextHop: own?.address ?? null,
    router: row?.gateway ?? null,
    steps: [...steps, connect, route.step],
  };
}

/** Does the target answer a connection from this host's own address? A refusal is an answer too. */
export async function answersOwnAddress(
  native: Native,
  target: Endpoint,
  netns: Namespace | null,
  patience: Patience,
): Promise<{ answers: boolean; steps: Step[] }> {
  const { fd, steps } = native.openSocket(target.family, 'tcp', netns?.fd);
  if (fd === null) return { answers: false, steps };
  try {
    const connect = startConnect(native, fd, target);
    const handshake = await awaitHandshake(native, fd, target, patience);
    const control = [...connect.steps, ...handshake.steps].map((step) => ({
      ...step,
      detail: 'control: from an own address',
    }));
    const said = handshake.steps.at(-1)?.errorName ?? null;
    return { answers: said === null || said === 'ECONNREFUSED', steps: [...steps, ...control] };
  } finally {
    native.close(fd);
  }
}
