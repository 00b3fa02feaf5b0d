/**
 * Socket options by number, for the few that the commands set themselves. A number that belongs to another system is
 * accepted without a word and means something else, so that each system has its own: sys/socket.h, netinet/in.h.
 */

import type { MechanismName } from '../verdict.ts';

const LINUX = { SOL_SOCKET: 1, SO_REUSEADDR: 2, IPPROTO_IPV6: 41, IPV6_V6ONLY: 26 };
/** The same on FreeBSD, OpenBSD and NetBSD; checked by scripts/test-cross. */
const BSD = { SOL_SOCKET: 0xffff, SO_REUSEADDR: 4, IPPROTO_IPV6: 41, IPV6_V6ONLY: 27 };

export const isLinux = process.platform === 'linux';

export const { SOL_SOCKET, SO_REUSEADDR, IPPROTO_IPV6, IPV6_V6ONLY } = isLinux ? LINUX : BSD;

/** By which mechanism a socket of this system takes an address that is not the host's. */
export const FOREIGN_ADDRESS: MechanismName = isLinux ? 'tproxy4' : 'bindany';

/** What that takes, in a sentence. */
export const FOREIGN_PRIVILEGE = isLinux
  ? 'CAP_NET_ADMIN or CAP_NET_RAW over the network namespace'
  : 'the super-user';

/** By which mechanisms a datagram socket learns where each datagram was sent to, apart from Linux's options. */
export const DATAGRAM_DESTINATION: readonly MechanismName[] = ['ipfw', 'divert'];
