/** What a listen test reports, as it happens. Types only. */

import type { Problem } from '../diagnosis/finding.ts';
import type { LookupResult } from '../inquiry.ts';
import type { Endpoint, Family, Protocol } from '../verdict.ts';

export interface ListenRequest {
  /** null: every address of this host, IPv4 and IPv6. */
  address: string | null;
  /** 0: any free one. */
  port: number;
  protocol: Protocol;
  /** A name of the catalogue, or `auto`. */
  mechanism: string;
  /** Stop after so many connections; null: go on. */
  count: number | null;
  /** Stop after so many seconds; null: go on. */
  timeout: number | null;
  /** Original destinations that are right; empty: any is. */
  expect: readonly Endpoint[];
  handling: Handling;
}

/** What becomes of an accepted connection. */
export type Handling = { kind: 'hold' } | { kind: 'reply'; text: string } | { kind: 'relay'; spoof: boolean };

type Place = LookupResult['original'];

/** The listener stands. */
export interface Listening {
  address: string;
  port: number;
  protocol: Protocol;
  families: Family[];
  /** IP_TRANSPARENT is set: TPROXY can deliver here. */
  transparent: boolean;
  /** Connections that it can hold at once, by the limit of open files; null for datagrams. */
  capacity: number | null;
  /** What is less than was asked for, in sentences. */
  notes: string[];
}

/** A connection, or the first datagram between two endpoints. */
export interface Arrival extends LookupResult {
  id: number;
  /** Redirected to this listener; false: addressed to it; null: may not be told. */
  intercepted: boolean | null;
  /** Is the original destination one of the expected? null when nothing was expected. */
  expected: boolean | null;
}

/**
 * How a connection ended: closed by both sides · reset by one of them · the original destination
 * refused, or could not be reached · refused here, because it leads back to this listener · held by
 * this end when the test stopped.
 */
export type Ending = 'closed' | 'reset' | 'unreachable' | 'loop' | 'direct' | 'stopped';

export interface Closed {
  id: number;
  client: Place;
  /** Bytes from and to the client. */
  received: number;
  sent: number;
  ending: Ending;
  /** What the kernel said, or why it was refused; null after a plain close. */
  detail: string | null;
  /** The relay's own connection, null where there was none. */
  upstream: { local: Place; remote: Place } | null;
}

export interface Summary {
  ended: 'count' | 'timeout' | 'interrupted';
  seconds: number;
  connections: number;
  intercepted: number;
  direct: number;
  /** Neither: the kernel would not tell. */
  unknown: number;
  mismatched: number;
  /** Expected destinations for which no connection came. */
  unseen: { address: string; port: number }[];
  /** Connections that lead back to this listener. */
  loops: number;
  /** Turned away because no more files may be open. */
  dropped: number;
  bytes: { received: number; sent: number };
  /** Why nothing was redirected here in time, when nothing was. */
  problems: Problem[];
}

/** Draws, or collects, what happens. */
export interface Observer {
  listening(listening: Listening): void;
  connection(arrival: Arrival): void;
  closed(closed: Closed): void;
  summary(summary: Summary): void;
}
