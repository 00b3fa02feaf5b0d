/** The relay's own way to the original destination, from this host's address or from the client's. */

import { isDenied, said } from '../conclusion.ts';
import { ExitCode, Failure } from '../exit-codes.ts';
import { FOREIGN_ADDRESS, FOREIGN_PRIVILEGE, isLinux } from '../host/socket-numbers.ts';
import type { Native } from '../native.ts';
import type { Endpoint, Protocol, Step } from '../verdict.ts';

const SOL_IP = 0;
const IP_BIND_ADDRESS_NO_PORT = 24;

/** A socket for one upstream connection, not connected yet; or the step that failed. */
export type UpstreamSocket = { fd: number; refused: null } | { fd: null; refused: Step };

/**
 * @param source the client whose address the socket takes, null for this host's own. Its port is the
 *   kernel's choice: the client's own would give both connections one conntrack entry, and the
 *   reply of the second would be taken for the first's.
 */
export function openUpstream(
  native: Native,
  protocol: Protocol,
  target: Endpoint,
  source: Endpoint | null,
): UpstreamSocket {
  const { fd, steps } = native.openSocket(target.family, protocol);
  if (fd === null) return { fd: null, refused: steps.at(-1) as Step };
  const refused = source === null ? undefined : assume(native, fd, protocol, source);
  if (refused === undefined) return { fd, refused: null };
  native.close(fd);
  return { fd: null, refused };
}

/** The port is left to connect(2), where it only has to be free towards this one target (ip(7)). */
function assume(native: Native, fd: number, protocol: Protocol, source: Endpoint): Step | undefined {
  const { family, address } = source;
  const { steps } = native.prepare(FOREIGN_ADDRESS, fd, { operation: 'spoof', family, protocol });
  const refused = steps.find((step) => step.errorName !== null);
  if (refused !== undefined) return refused;
  // 24 is IP_BINDANY on FreeBSD.
  if (isLinux) native.setOption(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  const bound = native.bind(fd, { address, port: 0 });
  return bound.errorName === null ? undefined : bound;
}

/**
 * Asked before anything is accepted: a client must not be kept waiting for what cannot be.
 * @throws {Failure} when this process may not send from a foreign address
 */
export function requireSpoofing(native: Native): void {
  if (!native.mechanisms().includes(FOREIGN_ADDRESS)) {
    throw new Failure(ExitCode.notHere, 'this system has no option to send from the client’s address');
  }
  const probe = native.probe(FOREIGN_ADDRESS, { operation: 'spoof', family: 4, protocol: 'udp' });
  const refused = probe.steps.find((step) => step.call === 'setsockopt' && step.errorName !== null);
  if (refused === undefined) return;
  throw new Failure(
    isDenied(refused) ? ExitCode.notPermitted : ExitCode.notHere,
    `--spoof sends from the client’s address, which takes ${FOREIGN_PRIVILEGE}: ${said(refused)}`,
    isDenied(refused)
      ? 'run the same command as root (sudo)'
      : `origdst capabilities --mechanism ${FOREIGN_ADDRESS}`,
  );
}
