/** All that an attempt found out, before anything is concluded from it. */

import type { Native } from '../native.ts';
import type { Conclusion, Step } from '../verdict.ts';
import type { Patience } from './conversation.ts';
import type { Packet } from './packet.ts';
import type { SpoofVerdict, Stage } from './report.ts';
import type { SpoofRequest } from './request.ts';
import type { Flow, Sighting } from './wire.ts';

export interface Facts {
  native: Native;
  request: SpoofRequest;
  /** The request's addresses, with the source port that was bound. */
  flow: Flow;
  stages: Stage[];
  /** null: the wire was not watched. */
  packets: readonly Packet[] | null;
  /** null: not watched, or nothing was sent yet. */
  sighting: Sighting | null;
  received: Buffer | null;
  /** The target ended the connection. */
  isClosed: boolean;
  /** How long a control connection may take, should one be needed. */
  controlPatience(): Patience;
}

/** A conclusion, with what was asked of the host to draw it. */
export interface Explained extends Conclusion<SpoofVerdict> {
  evidence: Step[];
}

/** Looks at the host from where the connection was made. */
export function within<T>({ native, request }: Facts, look: () => T): T {
  return request.netns === null ? look() : native.inNamespace(request.netns.fd, look);
}

export function explained(
  verdict: SpoofVerdict,
  reason: string,
  cause: string | null,
  remedy: string | null,
  evidence: Step[] = [],
): Explained {
  return { verdict, reason, cause, remedy, evidence };
}
