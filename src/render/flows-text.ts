/** Flows as lines of columns. The first rows set the widths, so that the rest can follow as it comes. */

import type { ByteWriter } from '../table/byte-writer.ts';
import { type Flow, type FlowPlace, flowOf, natOf } from '../table/flow.ts';
import {
  isIcmp,
  ORIGINAL_DESTINATION,
  ORIGINAL_SOURCE,
  protocolName,
  REPLY_SOURCE,
  type Records,
} from '../table/record.ts';

export const COLUMNS = ['protocol', 'client', 'original destination', 'goes to', 'nat', 'state'] as const;

export type Row = readonly string[];

/** Two IPv6 addresses and what stands beside them. */
const LONGEST = 512;

/** The same line as `lineOf(rowOf(…), widths)`, with its end. */
export function writeRow(writer: ByteWriter, records: Records, at: number, widths: readonly number[]): void {
  writer.reserve(LONGEST + widths.reduce((sum, width) => sum + width, 0));
  const protocol = records.protocol(at);
  const icmp = isIcmp(protocol);
  let start = writer.used;
  writer.ascii(protocolName(protocol));
  for (let column = 0; column < PLACES.length; column++) {
    writer.pad(start, (widths[column] ?? 0) + GAP);
    start = writer.used;
    writePlace(writer, records, at, PLACES[column] ?? 0, icmp);
  }
  writer.pad(start, (widths[3] ?? 0) + GAP);
  start = writer.used;
  writer.ascii(natOf(records.status(at)) ?? '-');
  writer.pad(start, (widths[4] ?? 0) + GAP);
  writer.ascii(records.tcpState(at) ?? '-');
  const zone = records.zone(at);
  if (zone !== 0) writer.ascii(` zone ${zone}`);
  writer.ascii('\n');
}

const PLACES = [ORIGINAL_SOURCE, ORIGINAL_DESTINATION, REPLY_SOURCE];
const GAP = 2;

function writePlace(writer: ByteWriter, records: Records, at: number, endpoint: number, icmp: boolean): void {
  const brackets = !icmp && records.family(at, endpoint) === 6;
  if (brackets) writer.ascii('[');
  records.writeAddress(writer, at, endpoint);
  if (brackets) writer.ascii(']');
  if (icmp) return;
  writer.ascii(':');
  writer.number(records.port(at, endpoint));
}

export function rowOf(records: Records, at: number): Row {
  return flowRow(flowOf(records, at));
}

export function flowRow(flow: Flow): Row {
  return [
    flow.protocol,
    placeText(flow.client, flow.icmp !== null),
    placeText(flow.original, flow.icmp !== null),
    placeText(flow.local, flow.icmp !== null),
    flow.nat ?? '-',
    `${flow.state ?? '-'}${flow.zone === 0 ? '' : ` zone ${flow.zone}`}`,
  ];
}

export function widthsOf(rows: readonly Row[]): number[] {
  return COLUMNS.map((name, column) =>
    rows.reduce((widest, row) => Math.max(widest, (row[column] ?? '').length), name.length),
  );
}

/** A cell that is wider than its column pushes the rest of its line along. */
export function lineOf(row: Row, widths: readonly number[]): string {
  let line = '';
  for (let column = 0; column < row.length - 1; column++) {
    const cell = row[column] ?? '';
    line += cell.padEnd((widths[column] ?? 0) + GAP);
  }
  return line + (row[row.length - 1] ?? '');
}

function placeText({ address, port }: FlowPlace, icmp: boolean): string {
  if (icmp) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
