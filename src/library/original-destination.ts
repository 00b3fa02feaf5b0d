/** The original destination of an accepted socket, and of many at once. */

import type { Socket } from 'node:net';
import { type Native, requireNative } from '../native.ts';
import { ByteWriter } from '../table/byte-writer.ts';
import { ENDPOINT_SIZE } from '../table/record.ts';
import type { Endpoint } from '../verdict.ts';

/** The kernel could not be asked: `code` is the name of its errno, e.g. `EBADF`, `ENOPROTOOPT`. */
export class OriginalDestinationError extends Error {
  readonly code: string;
  readonly errno: number;
  constructor(fd: number, errno: number, code: string) {
    super(`getsockopt SO_ORIGINAL_DST of descriptor ${fd} says ${code}: ${MEANINGS[code] ?? 'see errno(3)'}`);
    this.code = code;
    this.errno = errno;
  }
}

const MEANINGS: Record<string, string> = {
  EBADF: 'the descriptor is not open, or the socket is closed',
  ENOTSOCK: 'the descriptor is not a socket',
  ENOPROTOOPT: 'this is no TCP socket, or connection tracking is not there in its network namespace',
  EOPNOTSUPP: 'the socket is neither IPv4 nor IPv6, or speaks MPTCP',
};

const ENOENT = 2;
const DECIMAL = Array.from({ length: 256 }, (_, byte) => String(byte));
const spelling = new ByteWriter(64);

interface Asker {
  native: Native;
  bytes: Uint8Array;
  words: Uint16Array;
  ask(fd: number): number;
}

let asker: Asker | undefined;

function prepare(): Asker {
  const native = requireNative();
  const { bytes, ask } = native.socketLookup();
  asker = { native, bytes, words: new Uint16Array(bytes.buffer, bytes.byteOffset, ENDPOINT_SIZE / 2), ask };
  return asker;
}

/**
 * Where the client of an accepted TCP connection meant to go, before a REDIRECT or DNAT rule of this
 * host brought it here. One system call, no privilege; ask soon after accepting.
 *
 * An answer equal to `socket.localAddress` and `socket.localPort` means that the connection was not redirected.
 *
 * @param socket an accepted `net.Socket` that is still open, or a descriptor
 * @returns `{address, port, family}`, an IPv4-mapped address as IPv4 and the port in host order; null
 *   where connection tracking has no entry in the socket's namespace (zone 0). With TPROXY there is
 *   nothing to undo: the socket's own local address is the original destination.
 * @throws {OriginalDestinationError} when the kernel cannot be asked about this socket
 * @throws {TypeError} when `socket` has no descriptor: it is closed, or no socket of this process
 * @throws {import('../native.ts').NativeMissing} when the native module is not built
 */
export function originalDestination(socket: Socket | number): Endpoint | null {
  const { native, bytes, words, ask } = asker ?? prepare();
  const fd = typeof socket === 'number' ? socket : descriptorOf(socket);
  const errno = ask(fd);
  if (errno !== 0) {
    if (errno === ENOENT) return null;
    throw new OriginalDestinationError(fd, errno, native.errorName(errno) ?? `errno ${errno}`);
  }
  const port = words[1] ?? 0;
  if (bytes[0] === 4) {
    const address = `${DECIMAL[bytes[8] ?? 0]}.${DECIMAL[bytes[9] ?? 0]}.${DECIMAL[bytes[10] ?? 0]}.${DECIMAL[bytes[11] ?? 0]}`;
    return { address, port, family: 4 };
  }
  return { address: spell(bytes, 8, 6), port, family: 6 };
}

function spell(bytes: Uint8Array, at: number, family: 4 | 6): string {
  spelling.address(bytes, at, family);
  return spelling.take().toString('latin1');
}

/** Node keeps a socket's descriptor in its handle, and has no public name for it. */
function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { _handle?: { fd?: number } | null };
  if (typeof handle?.fd === 'number' && handle.fd >= 0) return handle.fd;
  throw new TypeError('this socket has no descriptor: it is closed, or was never connected');
}

/**
 * The original destinations of many descriptors, with one system call for each.
 *
 * @param fds descriptors of accepted TCP sockets
 * @throws {import('../native.ts').NativeMissing} when the native module is not built
 */
export function lookupMany(fds: Int32Array): OriginalDestinations {
  const native = requireNative();
  const answers = new OriginalDestinations(native, fds.length);
  native.lookupSockets(fds, answers.bytes, answers.errnos);
  return answers;
}

/** Answers in the order of the questions, in typed arrays: an object is made only by `at`. */
export class OriginalDestinations {
  readonly length: number;
  /** 0 where an original destination was found, else the errno of the call (ENOENT: no entry). */
  readonly errnos: Int32Array;
  /** 24 bytes for each: family (4 or 6), unused, port (16 bits, host order), scope (32 bits), address (4 or 16 of 16). */
  readonly bytes: Uint8Array;
  readonly #words: Uint16Array;
  readonly #native: Native;

  constructor(native: Native, length: number) {
    this.length = length;
    this.errnos = new Int32Array(length);
    this.bytes = new Uint8Array(length * ENDPOINT_SIZE);
    this.#words = new Uint16Array(this.bytes.buffer);
    this.#native = native;
  }

  /** The endpoint, or null where `errnos` says why there is none. */
  at(index: number): Endpoint | null {
    if (this.errnos[index] !== 0) return null;
    const start = index * ENDPOINT_SIZE;
    const family = this.bytes[start] === 6 ? 6 : 4;
    return { address: spell(this.bytes, start + 8, family), port: this.port(index), family };
  }

  /** In host order; 0 where there is no answer. */
  port(index: number): number {
    return this.errnos[index] === 0 ? (this.#words[index * (ENDPOINT_SIZE / 2) + 1] ?? 0) : 0;
  }

  /** The name of the errno, null where an original destination was found. */
  errorName(index: number): string | null {
    const errno = this.errnos[index] ?? 0;
    return errno === 0 ? null : this.#native.errorName(errno);
  }
}
