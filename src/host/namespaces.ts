/** Network namespaces of this host: named, and those that only a process holds. */

import { closeSync, fstatSync, openSync, readdirSync, statSync } from 'node:fs';
import { ExitCode, Failure } from '../exit-codes.ts';

/** An open namespace. `name` is how --netns names it: a name of /run/netns, or a process. */
export interface Namespace {
  fd: number;
  inode: number;
  name: string;
}

/** A namespace that cannot be entered or does not exist: the sentence says which, and why. */
export class NamespaceError extends Error {
  readonly code: string;
  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** The end for a namespace that does not exist or may not be entered. */
export function namespaceFailure(error: NamespaceError): Failure {
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return new Failure(ExitCode.notPermitted, error.message, 'run the same command as root (sudo)');
  }
  return new Failure(ExitCode.usage, error.message, 'ip netns list');
}

/**
 * Opens what --netns names: a process id, a name of /run/netns (ip-netns(8)) or a path.
 * @throws {NamespaceError} with the errno name as `code`.
 */
export function openNamespace(spec: string): Namespace {
  const path = namespacePath(spec);
  try {
    const fd = openSync(path, 'r');
    const inode = fstatSync(fd).ino;
    return { fd, inode, name: spec.startsWith('/proc/self/') ? `net:[${inode}]` : spec };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'EIO';
    throw new NamespaceError(`namespace '${spec}': open ${path} says ${code}`, code);
  }
}

function namespacePath(spec: string): string {
  if (/^[0-9]+$/.test(spec)) return `/proc/${spec}/ns/net`;
  return spec.includes('/') ? spec : `/run/netns/${spec}`;
}

/** The inode of this thread's own network namespace. */
export function ownNamespace(): number {
  return inodeOf('/proc/thread-self/ns/net') ?? 0;
}

export function namespaceOf(pid: number): number | null {
  return inodeOf(`/proc/${pid}/ns/net`);
}

function inodeOf(path: string): number | null {
  try {
    return statSync(path).ino;
  } catch {
    return null;
  }
}

export function closeNamespace(namespace: Namespace): void {
  closeSync(namespace.fd);
}

/** What a search through all namespaces found, and how many processes would not show theirs. */
export interface NamespaceListing {
  namespaces: Namespace[];
  hidden: number;
}

/** Every network namespace that a name or a process leads to, each once. The caller closes them. */
export function listNamespaces(): NamespaceListing {
  const seen = new Map<number, string>();
  let hidden = 0;
  for (const folder of ['/run/netns', '/run/docker/netns']) {
    for (const name of namesIn(folder)) {
      const inode = inodeOf(`${folder}/${name}`);
      if (inode !== null) seen.set(inode, folder === '/run/netns' ? name : `${folder}/${name}`);
    }
  }
  for (const pid of namesIn('/proc').filter((name) => /^[0-9]+$/.test(name))) {
    const inode = inodeOf(`/proc/${pid}/ns/net`);
    if (inode === null) hidden += 1;
    else if (!seen.has(inode)) seen.set(inode, pid);
  }
  const namespaces: Namespace[] = [];
  for (const name of seen.values()) {
    try {
      namespaces.push(openNamespace(name));
    } catch {
      hidden += 1;
    }
  }
  return { namespaces, hidden };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
