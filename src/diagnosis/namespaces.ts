/** Looking for what is missing here in the other network namespaces of this host. */

import { closeNamespace, listNamespaces, type Namespace, ownNamespace } from '../host/namespaces.ts';
import type { Situation } from './situation.ts';

/** A host with thousands of containers is not read through. */
const LIMIT = 64;
/** net/tcp_states.h; an unconnected UDP socket is CLOSE. */
const CLOSE = 7;
const LISTEN = 10;

/** The first answer that another namespace gives. One that may not be entered gives none. */
export function elsewhere<T>(ask: (namespace: Namespace) => T | null): T | null {
  const here = ownNamespace();
  const { namespaces } = listNamespaces();
  try {
    for (const namespace of namespaces.filter(({ inode }) => inode !== here).slice(0, LIMIT)) {
      const answer = whereAllowed(() => ask(namespace));
      if (answer !== null) return answer;
    }
    return null;
  } finally {
    for (const namespace of namespaces) closeNamespace(namespace);
  }
}

/** The addon's refusal to enter a namespace carries the step that was refused: that is no answer. */
function whereAllowed<T>(ask: () => T): T | null {
  try {
    return ask();
  } catch (error) {
    if ((error as { step?: unknown }).step === undefined) throw error;
    return null;
  }
}

export function listensIn({ native, protocol }: Situation, { fd }: Namespace, port: number): boolean {
  return ([4, 6] as const)
    .flatMap((family) => native.sockets(family, protocol, fd).sockets)
    .some(({ local, state }) => local.port === port && state === (protocol === 'tcp' ? LISTEN : CLOSE));
}
