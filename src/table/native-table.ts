/** What the addon offers for the kernel's table in bulk. Entries are bytes: see record.ts. */

import type { Step } from '../verdict.ts';

/** A walk through the table that is going on, held by the addon. */
export type OpenTable = { readonly brand: unique symbol };

/** Entries with `status & statusMask === statusValue`; family 0 is both. */
export interface Selection {
  family: 0 | 4 | 6;
  statusMask: number;
  statusValue: number;
}

export interface NativeTable {
  openTable(selection: Selection, netns?: number): { table: OpenTable | null; steps: Step[] };
  /** On a thread of the pool; one reading at a time. */
  readTable(
    table: OpenTable,
    buffer: Uint8Array,
  ): Promise<{ count: number; over: boolean; failure: Step | null }>;
  closeTable(table: OpenTable): void;
  /** A socket that hears of changes, with a receive buffer of that many bytes. The caller closes it. */
  openEvents(bufferBytes: number, netns?: number): { fd: number | null; steps: Step[] };
  /**
   * Waits for changes, at most `milliseconds`, on a thread of the pool. `lost` counts from the opening on,
   * -1 where the kernel cannot tell (before Linux 4.12); `overrun`: some were lost since the last call.
   */
  readEvents(
    fd: number,
    buffer: Uint8Array,
    milliseconds: number,
  ): Promise<{ count: number; lost: number; overrun: boolean; failure: Step | null }>;
  /** Each record names a connection and becomes its entry, or gets an error. */
  lookupEntries(questions: Uint8Array, netns?: number): Step[];
  /** Endpoints of 24 bytes each; errno 0 where one was found. */
  lookupSockets(fds: Int32Array, endpoints: Uint8Array, errnos: Int32Array): void;
  /** `ask` leaves the endpoint in `bytes` when it answers 0, else it answers the errno. */
  socketLookup(): { bytes: Uint8Array; ask(fd: number): number };
  errorName(errno: number): string | null;
}
