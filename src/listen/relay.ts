/**
 * Carries one TCP connection on to its original destination. What one side does, the other sees: the
 * end of its data (a half-closed connection stays half open), a reset, and a reader that is slow.
 */

import { Socket } from 'node:net';
import type { Native } from '../native.ts';
import type { Endpoint } from '../verdict.ts';
import type { Closed, Ending } from './arrival.ts';
import type { LoopGuard } from './loop.ts';
import { placeOf } from './place.ts';
import { openUpstream } from './upstream.ts';

export interface Carried {
  ending: Ending;
  detail: string | null;
  upstream: Closed['upstream'];
}

/** A relayed connection under way. */
export interface Relayed {
  /** Ends both sides at once. */
  abort(): void;
}

/**
 * @param client accepted, and paused: nothing is read from it before the upstream stands
 * @param source the address to connect from, null for this host's own
 * @param done called once, when both sides are closed
 */
export function relay(
  native: Native,
  loops: LoopGuard,
  client: Socket,
  target: Endpoint,
  source: Endpoint | null,
  done: (carried: Carried) => void,
): Relayed {
  const opened = openUpstream(native, 'tcp', target, source);
  if (opened.fd === null) {
    const { call, errorName } = opened.refused;
    client.once('close', () =>
      done({ ending: 'unreachable', detail: `${call}: ${errorName}`, upstream: null }),
    );
    client.resetAndDestroy();
    return { abort: () => client.destroy() };
  }
  const { fd } = opened;
  const upstream = new Socket({ fd, allowHalfOpen: true });
  const carried: Carried = { ending: 'closed', detail: null, upstream: null };
  let local: Endpoint | null = null;
  /** connect(2) names the socket. Node calls it in the next tick, before it accepts again. */
  const name = () => {
    if (upstream.destroyed) return;
    ({ local } = native.describe(fd));
    if (local === null) return;
    loops.opened(local, target);
    carried.upstream = { local: placeOf(local), remote: placeOf(target) };
  };
  upstream.once('connect', () => {
    client.pipe(upstream);
    upstream.pipe(client);
  });
  upstream.on('error', (error) => {
    fail(carried, error);
    client.resetAndDestroy();
  });
  client.on('error', (error) => {
    fail(carried, error);
    abort(upstream);
  });
  let open = 2;
  const ended = () => {
    open -= 1;
    if (open > 0) return;
    if (local !== null) loops.ended(local);
    done(carried);
  };
  upstream.once('close', ended);
  client.once('close', ended);
  upstream.connect({ host: target.address, port: target.port });
  process.nextTick(name);
  return {
    abort: () => {
      client.destroy();
      upstream.destroy();
    },
  };
}

/** Only the first failure tells: the second is our own reset coming back. */
function fail(carried: Carried, error: NodeJS.ErrnoException): void {
  if (carried.detail !== null) return;
  carried.ending = error.syscall === 'connect' ? 'unreachable' : 'reset';
  carried.detail = `${error.syscall ?? 'read'}: ${error.code ?? error.message}`;
}

/** A socket that is still connecting has nothing to reset; Node would wait for the connection. */
function abort(socket: Socket): void {
  if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}
