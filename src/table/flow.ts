/** A connection as the table has it: where the client meant to go, and where the kernel took it. */

import { ByteWriter } from './byte-writer.ts';
import {
  ASSURED,
  DST_NAT,
  isIcmp,
  ORIGINAL_DESTINATION,
  ORIGINAL_SOURCE,
  protocolName,
  REPLY_DESTINATION,
  REPLY_SOURCE,
  type Records,
  SEEN_REPLY,
  SRC_NAT,
} from './record.ts';

export interface FlowPlace {
  address: string;
  /** 0 where the protocol has none. */
  port: number;
}

export interface Flow {
  /** Its name, or its number as text. */
  protocol: string;
  /** The client as this host's end of the connection sees it. */
  peer: FlowPlace;
  /** This host's end, or where the connection was forwarded to. */
  local: FlowPlace;
  /** The client as it called itself: differs from `peer` where its source was translated. */
  client: FlowPlace;
  /** Where the client meant to go. */
  original: FlowPlace;
  verdict: 'translated' | 'untranslated' | 'inferred';
  nat: 'destination' | 'source' | 'both' | null;
  mechanism: 'netfilter' | 'tproxy4';
  zone: number;
  replyZone: number;
  /** Of TCP, in the words of conntrack(8). */
  state: string | null;
  /** Will not be dropped early when the table is full. */
  assured: boolean;
  /** A packet of the reply was seen. */
  replied: boolean;
  mark: number;
  /** Seconds until the entry expires; null where there is no entry. */
  timeout: number | null;
  id: number | null;
  icmp: { type: number; code: number; id: number; replyId: number } | null;
}

/** The longest JSON that one flow can take: four IPv6 addresses, and every number at its longest. */
const LONGEST = 1024;
const text = (words: string) => new TextEncoder().encode(words);
const PROTOCOL = text('{"protocol":"');
const PEER = text('","peer":{"address":"');
const PORT = text('","port":');
const LOCAL = text('},"local":{"address":"');
const CLIENT = text('},"client":{"address":"');
const ORIGINAL = text('},"original":{"address":"');
const ZONE = text(',"mechanism":"netfilter","zone":');
const REPLY_ZONE = text(',"replyZone":');
const TIMEOUT = text(',"timeout":');

/** What the status says, in all its forms: most entries share one of a few. */
const conclusions = new Map<number, Uint8Array>();

/** One object of JSON. Every form of a flow is made of this one. */
export function writeFlow(writer: ByteWriter, records: Records, at: number): void {
  writer.reserve(LONGEST);
  const protocol = records.protocol(at);
  const icmp = isIcmp(protocol);
  writer.encoded(PROTOCOL);
  writer.ascii(protocolName(protocol));
  writePlace(writer, PEER, records, at, REPLY_DESTINATION, icmp);
  writePlace(writer, LOCAL, records, at, REPLY_SOURCE, icmp);
  writePlace(writer, CLIENT, records, at, ORIGINAL_SOURCE, icmp);
  writePlace(writer, ORIGINAL, records, at, ORIGINAL_DESTINATION, icmp);
  writer.encoded(conclusion(records.status(at)));
  writer.encoded(ZONE);
  writer.number(records.zone(at));
  writer.encoded(REPLY_ZONE);
  writer.number(records.replyZone(at));
  const state = records.tcpState(at);
  writer.ascii(state === null ? ',"state":null' : `,"state":"${state}"`);
  writer.encoded(reliance(records.status(at)));
  writer.number(records.mark(at));
  writer.encoded(TIMEOUT);
  writer.number(records.timeout(at));
  writer.ascii(',"id":');
  writer.number(records.id(at));
  writer.ascii(icmp ? `,"icmp":${icmpJson(records, at)}}` : ',"icmp":null}');
}

const single = new ByteWriter();

export function flowOf(records: Records, at: number): Flow {
  writeFlow(single, records, at);
  return JSON.parse(single.take().toString('latin1'));
}

export function natOf(status: number): Flow['nat'] {
  if ((status & DST_NAT) !== 0) return (status & SRC_NAT) !== 0 ? 'both' : 'destination';
  return (status & SRC_NAT) !== 0 ? 'source' : null;
}

function conclusion(status: number): Uint8Array {
  return remembered(status & (DST_NAT | SRC_NAT), (bits) => {
    const verdict = bits & DST_NAT ? 'translated' : 'untranslated';
    return `},"verdict":"${verdict}","nat":${JSON.stringify(natOf(bits))}`;
  });
}

function reliance(status: number): Uint8Array {
  return remembered(
    (status & (ASSURED | SEEN_REPLY)) | ~0xff,
    (bits) => `,"assured":${(bits & ASSURED) !== 0},"replied":${(bits & SEEN_REPLY) !== 0},"mark":`,
  );
}

function remembered(key: number, words: (key: number) => string): Uint8Array {
  const known = conclusions.get(key);
  if (known !== undefined) return known;
  const made = text(words(key));
  conclusions.set(key, made);
  return made;
}

function writePlace(
  writer: ByteWriter,
  head: Uint8Array,
  records: Records,
  at: number,
  endpoint: number,
  icmp: boolean,
): void {
  writer.encoded(head);
  records.writeAddress(writer, at, endpoint);
  writer.encoded(PORT);
  writer.number(icmp ? 0 : records.port(at, endpoint));
}

/** The identifier takes the place of the source's port. */
function icmpJson(records: Records, at: number): string {
  const { type, code } = records.icmp(at);
  const [id, replyId] = [records.port(at, ORIGINAL_SOURCE), records.port(at, REPLY_SOURCE)];
  return `{"type":${type},"code":${code},"id":${id},"replyId":${replyId}}`;
}
