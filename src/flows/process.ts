/** `--pid P [--fd N]` and `--process NAME`: the connections that another process has accepted. */

import { ExitCode, Failure } from '../exit-codes.ts';
import { childrenOf, commandName, processExists, processesNamed, socketHandles } from '../host/processes.ts';
import type { Owner, Subject } from '../inquiry.ts';
import type { HostSocket, Native } from '../native.ts';
import type { Protocol } from '../verdict.ts';
import { refuseOthers } from './descriptor.ts';
import { type Borrowed, notOurs, subject } from './subject.ts';

const LISTEN = 10;
const CLOSE = 7;

/** @throws {Failure} when the process, or its descriptor, does not exist. */
export function fromProcessDescriptor(
  native: Native,
  borrowed: Borrowed,
  pid: number,
  fd: number,
): Subject[] {
  requireProcess(pid);
  const owner = ownerOf(pid, fd);
  const taken = native.takeDescriptor(pid, fd);
  if (taken.fd === null) {
    if (taken.steps.at(-1)?.errorName === 'EBADF') {
      throw new Failure(ExitCode.usage, `process ${pid} has no descriptor ${fd} (pidfd_getfd says EBADF)`);
    }
    return [subject({ protocol: 'tcp', owner, steps: taken.steps, refusal: notOurs(owner, taken.steps) })];
  }
  borrowed.descriptor(taken.fd);
  const described = native.describe(taken.fd);
  refuseOthers(described, `descriptor ${fd} of process ${pid}`);
  return [
    subject({
      protocol: described.protocol,
      local: described.local,
      peer: described.peer,
      fd: taken.fd,
      owner,
      netns: borrowed.namespaceOfSocket(taken.fd, pid),
      steps: taken.steps,
    }),
  ];
}

/** @throws {Failure} when there is no such process, or it has accepted nothing. */
export function fromProcess(native: Native, borrowed: Borrowed, pid: number, protocol: Protocol): Subject[] {
  requireProcess(pid);
  const accepted = acceptedBy(native, borrowed, [pid], protocol);
  if (accepted.length > 0) return accepted;
  const name = commandName(pid) ?? '?';
  const children = childrenOf(pid);
  throw new Failure(
    ExitCode.no,
    `process ${pid} (${name}) holds no accepted ${protocol} connection` +
      (children.length === 0 ? '' : `; its child processes may: ${children.join(', ')}`),
    children.length === 0
      ? `ss -p | grep pid=${pid}`
      : `origdst lookup --process ${commandName(children[0] ?? pid) ?? name}`,
  );
}

/** @throws {Failure} when no process has that name. */
export function fromProcessName(
  native: Native,
  borrowed: Borrowed,
  name: string,
  protocol: Protocol,
): Subject[] {
  const pids = processesNamed(name);
  if (pids.length === 0) throw new Failure(ExitCode.no, `no process is called '${name}'`, `ps -C ${name}`);
  return acceptedBy(native, borrowed, pids, protocol);
}

/**
 * The accepted connections among the sockets of some processes, each socket once however many
 * processes share it. Accepted: the local port is listened on, or
 * the socket is transparent and did not open its connection, as a proxy's does that spoofs its client.
 * @throws {Failure} (not permitted) when none of the processes shows its descriptors.
 */
export function acceptedBy(
  native: Native,
  borrowed: Borrowed,
  pids: readonly number[],
  protocol: Protocol,
  wanted: (socket: HostSocket) => boolean = () => true,
): Subject[] {
  const { handles, hidden } = socketHandles(pids);
  if (handles.length === 0 && hidden.length > 0) {
    throw new Failure(
      ExitCode.notPermitted,
      `the descriptors of process ${hidden.join(', ')} may not be read: /proc/PID/fd says EACCES`,
      'run the same command as root (sudo), or as the user of that process',
    );
  }
  const subjects: Subject[] = [];
  const seen = new Set<number>();
  for (const pid of pids) {
    const netns = borrowed.namespaceOfProcess(pid);
    const sockets = connections(native, netns, protocol);
    for (const handle of handles.filter((one) => one.pid === pid && !seen.has(one.inode))) {
      const socket = sockets.get(handle.inode);
      if (socket === undefined || !wanted(socket)) continue;
      seen.add(handle.inode);
      subjects.push(
        subject({
          protocol: socket.protocol,
          local: socket.local,
          peer: socket.peer,
          owner: ownerOf(pid, handle.fd),
          isHeld: true,
          netns,
        }),
      );
    }
  }
  return subjects;
}

/** Accepted connections of a namespace, by inode. */
export function connections(
  native: Native,
  netns: Subject['netns'],
  protocol: Protocol,
): Map<number, HostSocket> {
  const all = hostSockets(native, netns, protocol);
  const listened = new Set(
    all.filter((socket) => socket.state === LISTEN).map((socket) => socket.local.port),
  );
  const accepted = all.filter(
    ({ state, peer, local, transparent, opened }) =>
      state !== LISTEN &&
      !(protocol === 'udp' && state === CLOSE) &&
      peer.port !== 0 &&
      (protocol === 'udp' || listened.has(local.port) || (transparent && !opened)),
  );
  return new Map(accepted.map((socket) => [socket.inode, socket]));
}

export function hostSockets(native: Native, netns: Subject['netns'], protocol: Protocol): HostSocket[] {
  return ([4, 6] as const).flatMap((family) => native.sockets(family, protocol, netns?.fd).sockets);
}

function ownerOf(pid: number, fd: number): Owner {
  return { pid, fd, process: commandName(pid) ?? '?' };
}

function requireProcess(pid: number): void {
  if (!processExists(pid)) throw new Failure(ExitCode.usage, `there is no process ${pid}`);
}
