/** A plain client inside a namespace: a connected socket of this process. */

import assert from 'node:assert/strict';
import { endpoint } from '../../src/endpoint.ts';
import type { LabHost } from '../../src/lab/host.ts';
import type { Native } from '../../src/native.ts';
import type { Endpoint } from '../../src/verdict.ts';

export interface Client {
  fd: number;
  /** The client's own name for the connection. */
  local: Endpoint;
  close(): void;
}

/** Connects and waits for the handshake. */
export function connectFrom(native: Native, host: LabHost, address: string, port: number): Client {
  const to = endpoint(address, port);
  const { fd } = native.openSocket(to.family, 'tcp', host.netns);
  assert(fd !== null);
  const step = native.connect(fd, to);
  assert(step.errorName === null || step.errorName === 'EINPROGRESS', `connect says ${step.errorName}`);
  assert.deepEqual(native.poll([fd], 'write', 5000), [fd], `no handshake with ${address}:${port}`);
  const { local, peer } = native.describe(fd);
  assert(local !== null && peer !== null, `the connection to ${address}:${port} was refused`);
  return { fd, local, close: () => void native.close(fd) };
}

/** Connects, and waits for the other end to end it: so soon, maybe, that the handshake is never seen. */
export function knockFrom(native: Native, host: LabHost, to: Endpoint): void {
  const { fd } = native.openSocket(to.family, 'tcp', host.netns);
  assert(fd !== null);
  native.connect(fd, to);
  assert.deepEqual(
    native.poll([fd], 'read', 5000),
    [fd],
    `the connection to ${to.address}:${to.port} stays open`,
  );
  native.close(fd);
}
