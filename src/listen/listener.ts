/** What the listeners for TCP and for UDP have in common. */

import type { LookupResult } from '../inquiry.ts';
import type { Arrival, Closed } from './arrival.ts';

/** To whom a listener reports. */
export interface Admission {
  /** Counts and shows a connection; null when the test has seen enough of them. */
  admit(result: LookupResult): Arrival | null;
  closed(closed: Closed): void;
}

export interface Listener {
  /** Connections turned away because no more files may be open. */
  readonly dropped: number;
  /** Connections that can be held at once; null: no limit of their own. */
  readonly capacity: number | null;
  start(): Promise<void>;
  stopAccepting(): void;
  /** Resolves when what is under way has ended by itself, or the signal ends the waiting. */
  settle(signal: AbortSignal): Promise<void>;
  /** Ends what is still open. */
  abort(): Promise<void>;
}
