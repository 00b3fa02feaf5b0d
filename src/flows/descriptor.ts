/** `--fd N`: a descriptor that this process inherited, as from inetd(8). */

import { ExitCode, Failure } from '../exit-codes.ts';
import type { Subject } from '../inquiry.ts';
import type { Described, Native } from '../native.ts';
import { type Borrowed, subject } from './subject.ts';

/** @throws {Failure} (usage) when the descriptor is no connection. */
export function fromDescriptor(native: Native, borrowed: Borrowed, fd: number): Subject[] {
  const described = native.describe(fd);
  refuseOthers(described, `descriptor ${fd}`);
  return [
    subject({
      protocol: described.protocol,
      local: described.local,
      peer: described.peer,
      fd,
      netns: borrowed.namespaceOfSocket(fd, null),
    }),
  ];
}

/** @throws {Failure} with what the descriptor is instead of a connection. */
export function refuseOthers(described: Described, what: string): void {
  const [name, peer] = described.steps;
  if (name?.errorName === 'EBADF')
    throw new Failure(ExitCode.usage, `${what} is not open (getsockname says EBADF)`);
  if (name?.errorName === 'ENOTSOCK') {
    throw new Failure(ExitCode.usage, `${what} is not a socket (getsockname says ENOTSOCK)`);
  }
  if (described.family === null) {
    throw new Failure(ExitCode.usage, `${what} is not a TCP or UDP socket over IPv4 or IPv6`);
  }
  if (described.listening) {
    throw new Failure(
      ExitCode.usage,
      `${what} is a listening socket; it has no peer`,
      `origdst lookup --port ${described.local?.port ?? 'PORT'}`,
    );
  }
  if (peer?.errorName === 'ENOTCONN') {
    throw new Failure(
      ExitCode.usage,
      `${what} is not connected (getpeername says ENOTCONN)`,
      described.protocol === 'udp'
        ? `origdst lookup --protocol udp --port ${described.local?.port ?? 'PORT'}`
        : null,
    );
  }
}
