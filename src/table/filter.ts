/** Which entries of the table are wanted. Decided on the bytes, before any object is made. */

import { isAt, type Place } from './place.ts';
import {
  DST_NAT,
  ORIGINAL_DESTINATION,
  ORIGINAL_SOURCE,
  REPLY_DESTINATION,
  REPLY_SOURCE,
  type Records,
  SRC_NAT,
} from './record.ts';

export interface FlowFilter {
  /** Also what is tracked and not translated. */
  all: boolean;
  /** The port on this host's end, as a proxy listens on it. */
  port: number | null;
  /** The client, as it called itself or as this host sees it. */
  peer: Place | null;
  /** Where the client meant to go. */
  original: Place | null;
  /** Number of the protocol. */
  protocol: number | null;
  zone: number | null;
}

export const ANY_NAT: FlowFilter = {
  all: false,
  port: null,
  peer: null,
  original: null,
  protocol: null,
  zone: null,
};

export function matches(filter: FlowFilter, records: Records, at: number): boolean {
  if (!filter.all && (records.status(at) & (DST_NAT | SRC_NAT)) === 0) return false;
  if (filter.protocol !== null && records.protocol(at) !== filter.protocol) return false;
  if (filter.port !== null && records.port(at, REPLY_SOURCE) !== filter.port) return false;
  if (filter.zone !== null && records.zone(at) !== filter.zone && records.replyZone(at) !== filter.zone) {
    return false;
  }
  if (
    filter.peer !== null &&
    !isAt(records, at, ORIGINAL_SOURCE, filter.peer) &&
    !isAt(records, at, REPLY_DESTINATION, filter.peer)
  ) {
    return false;
  }
  return filter.original === null || isAt(records, at, ORIGINAL_DESTINATION, filter.original);
}
