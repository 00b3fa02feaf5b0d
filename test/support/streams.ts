/** Servers and clients of this process whose sockets belong to a lab's namespaces. */

import assert from 'node:assert/strict';
import { type Server, Socket } from 'node:net';
import { formatEndpoint } from '../../src/endpoint.ts';
import type { LabHost } from '../../src/lab/host.ts';
import type { Native } from '../../src/native.ts';
import type { Endpoint } from '../../src/verdict.ts';
import { connectFrom } from './client.ts';
import { LIMIT_MS } from './eventually.ts';

/** Lets a server listen inside a namespace, and returns it. */
export function listenIn<T extends Server>(native: Native, host: LabHost, at: Endpoint, server: T): T {
  const { fd } = native.openSocket(at.family, 'tcp', host.netns);
  assert(fd !== null);
  const step = native.bind(fd, at);
  assert.equal(step.errorName, null, `bind ${formatEndpoint(at)} in ${host.name}`);
  server.listen({ fd });
  return server;
}

export interface ClientStream {
  socket: Socket;
  /** The client's own name for its end. */
  name: string;
  /** Where it was told to connect. */
  to: Endpoint;
}

/** A client's connection to `to`, as a stream that stays open until it is destroyed. */
export function streamFrom(native: Native, host: LabHost, to: Endpoint): ClientStream {
  const { fd, local } = connectFrom(native, host, to.address, to.port);
  // A proxy that is killed resets its clients; that is no news to a test that is over.
  const socket = new Socket({ fd }).on('error', () => socket.destroy());
  return { socket, name: formatEndpoint(local), to };
}

/** Resolves with what has arrived, once it holds `text`; ends the connection where it never comes. */
export async function heard(socket: Socket, text: string): Promise<string> {
  const giveUp = () =>
    void socket.destroy(new Error(`waited ${LIMIT_MS / 1000} s in vain to hear '${text}'`));
  const timer = setTimeout(giveUp, LIMIT_MS);
  let all = '';
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      all += String(chunk);
      if (all.includes(text)) return all;
    }
  } finally {
    clearTimeout(timer);
  }
  throw new Error(`the connection ended before '${text}' arrived: ${all}`);
}
