/**
 * Connections that lead back to this listener: the original destination is the listener itself, or
 * the client is this program's own upstream connection, redirected once more. Carried on, each would
 * open the next, until no file is left to open.
 */

import { formatEndpoint } from '../endpoint.ts';
import type { Endpoint } from '../verdict.ts';
import { ownAddresses } from './address.ts';
import type { Arrival, Closed } from './arrival.ts';
import { formatPlace, type Place } from './place.ts';

export class LoopGuard {
  readonly #bound: Endpoint;
  readonly #own: Set<string>;
  readonly #upstreams = new Map<string, string>();

  constructor(bound: Endpoint) {
    this.#bound = bound;
    this.#own = ownAddresses();
  }

  /** A connection of our own, from `local` on to `target`: it must not come in again. */
  opened(local: Endpoint, target: Place): void {
    this.#upstreams.set(formatEndpoint(local), formatPlace(target));
  }

  ended(local: Endpoint): void {
    this.#upstreams.delete(formatEndpoint(local));
  }

  /** Why this connection must not be carried on, null when it may. */
  objection({ flow, original }: Arrival): string | null {
    const upstream = flow.peer === null ? undefined : this.#upstreams.get(formatPlace(flow.peer));
    if (upstream !== undefined) {
      return `it is this relay's own connection to ${upstream}, which a rule redirects here again`;
    }
    if (original !== null && this.#isListener(original)) {
      return `its original destination, ${formatPlace(original)}, is this listener`;
    }
    return null;
  }

  #isListener({ address, port }: Place): boolean {
    if (port !== this.#bound.port) return false;
    return address === this.#bound.address || address.startsWith('127.') || this.#own.has(address);
  }
}

/** A connection that has nowhere to go, or must not go there; null when it may be carried on. */
export function refuseRelay(loops: LoopGuard, arrival: Arrival): Pick<Closed, 'ending' | 'detail'> | null {
  const loop = loops.objection(arrival);
  if (loop !== null) return { ending: 'loop', detail: loop };
  if (arrival.original !== null) return null;
  return {
    ending: 'direct',
    detail: 'it was addressed to this listener: there is nowhere to carry it on to',
  };
}
