/** What all ways of naming a connection have in common. */

import { sameEndpoint } from '../endpoint.ts';
import {
  closeNamespace,
  type Namespace,
  namespaceOf,
  openNamespace,
  ownNamespace,
} from '../host/namespaces.ts';
import type { Owner, Subject } from '../inquiry.ts';
import type { Native } from '../native.ts';
import type { Endpoint, Step } from '../verdict.ts';

/** Descriptors and namespaces that a selection opened: closed together, whatever happens. */
export class Borrowed {
  readonly #native: Native;
  readonly #descriptors: number[] = [];
  readonly #namespaces = new Map<number, Namespace>();

  constructor(native: Native) {
    this.#native = native;
  }

  descriptor(fd: number): number {
    this.#descriptors.push(fd);
    return fd;
  }

  /** The namespace that `spec` names, as a subject carries it: null when it is this process's own. */
  namespace(spec: string): Subject['netns'] {
    const opened = openNamespace(spec);
    const known = this.#namespaces.get(opened.inode);
    if (known !== undefined || opened.inode === ownNamespace()) {
      closeNamespace(opened);
      return known ?? null;
    }
    this.#namespaces.set(opened.inode, opened);
    return opened;
  }

  /**
   * A socket keeps the namespace where it was made, also when it is passed on. Asking needs
   * CAP_NET_ADMIN there (SIOCGSKNS); where that is refused, its holder's namespace is taken.
   */
  namespaceOfSocket(fd: number, holder: number | null): Subject['netns'] {
    const known = holder === null ? null : this.namespaceOfProcess(holder);
    const namespace = this.#native.socketNamespace(fd);
    if (namespace.fd === null) return known;
    try {
      return this.namespace(`/proc/self/fd/${namespace.fd}`);
    } finally {
      this.#native.close(namespace.fd);
    }
  }

  /** The namespace of a process; null also where it is not shown, and the socket alone must answer. */
  namespaceOfProcess(pid: number): Subject['netns'] {
    const inode = namespaceOf(pid);
    return inode === null || inode === ownNamespace() ? null : this.namespace(String(pid));
  }

  /**
   * Asks about a subject while its socket is borrowed from its owner. One at a time: a proxy may hold
   * more sockets than this process may have descriptors (RLIMIT_NOFILE).
   */
  lend<T>(found: Subject, ask: (subject: Subject) => T): T {
    const { owner } = found;
    if (owner === null || found.isHeld !== true) return ask(found);
    const { fd, steps } = this.#native.takeDescriptor(owner.pid, owner.fd);
    if (fd === null) return ask({ ...found, steps, refusal: notOurs(owner, steps) });
    try {
      const { protocol, local, peer } = this.#native.describe(fd);
      // The owner may have closed it and opened another one under its number: then the addresses must do.
      const isSame = isAlike(local, found.local) && isAlike(peer, found.peer);
      return ask(isSame ? { ...found, fd, protocol, steps } : { ...found, steps });
    } finally {
      this.#native.close(fd);
    }
  }

  close(): void {
    for (const fd of this.#descriptors) this.#native.close(fd);
    for (const namespace of this.#namespaces.values()) closeNamespace(namespace);
  }
}

function isAlike(one: Endpoint | null, other: Endpoint | null): boolean {
  return one !== null && other !== null && sameEndpoint(one, other);
}

/** A subject of which nothing is known yet but these. */
export function subject(known: Partial<Subject> & Pick<Subject, 'protocol'>): Subject {
  return {
    peer: null,
    local: null,
    fd: null,
    owner: null,
    netns: null,
    zone: 0,
    steps: [],
    refusal: null,
    ...known,
  };
}

/** pidfd_getfd(2) was refused: the connection is shown, and that it may not be asked. */
export function notOurs(owner: Owner, steps: readonly Step[]): Subject['refusal'] {
  const errorName = steps.at(-1)?.errorName ?? 'EPERM';
  return {
    verdict: errorName === 'EPERM' || errorName === 'EACCES' ? 'denied' : 'failed',
    reason: 'not-our-process',
    cause: `The socket of process ${owner.pid} (${owner.process}) may not be taken over to ask it: pidfd_getfd says ${errorName}.`,
    remedy: 'run the same command as root (sudo), or as the user of that process with ptrace allowed',
  };
}
