/** The connection tracking table as async iterators: what is there, and what comes and goes. */

import { Borrowed } from '../flows/subject.ts';
import { requireNative } from '../native.ts';
import { ANY_NAT, type FlowFilter } from '../table/filter.ts';
import { type Flow, flowOf } from '../table/flow.ts';
import { follow, type News } from '../table/follow.ts';
import { parsePlace } from '../table/place.ts';
import { protocolNumber } from '../table/record.ts';
import { selectFlows } from '../table/select.ts';

/** Which connections; all of the given hold. */
export interface FlowOptions {
  /** A name of /run/netns, a path, or a process id; by default this process's own namespace. */
  netns?: string;
  /** Also what is tracked and not translated; by default false. */
  all?: boolean;
  /** Port where the connection really goes: the proxy's. */
  port?: number;
  /** The client: `192.0.2.1`, `192.0.2.0/24`, `[2001:db8::1]:80`, `:80` */
  peer?: string;
  /** Where the client meant to go, in the same forms. */
  original?: string;
  /** `tcp`, `udp`, `icmp`, …, or a number as text. */
  protocol?: string;
  /** Conntrack zone. */
  zone?: number;
}

export interface FlowEventOptions extends FlowOptions {
  /** Bytes of events that the kernel may hold back before it drops some; by default 32 MiB. */
  buffer?: number;
  /** Ends the iteration. */
  signal?: AbortSignal;
}

const BUFFER = 32 << 20;

/**
 * The translated connections of a namespace, read while they are iterated: memory does not grow with
 * the table. A connection that is there all the time comes once.
 *
 * @throws {SyntaxError} when an option is malformed
 * @throws {import('../exit-codes.ts').Failure} when the table may not (CAP_NET_ADMIN) or cannot be read
 * @throws {import('../host/namespaces.ts').NamespaceError} when there is no such namespace
 */
export async function* flows(options: FlowOptions = {}): AsyncGenerator<Flow, void, void> {
  const native = requireNative();
  const filter = filterOf(options);
  const borrowed = new Borrowed(native);
  try {
    const netns = options.netns === undefined ? null : borrowed.namespace(options.netns);
    for await (const { records, wanted, count } of selectFlows(native, filter, netns?.fd ?? null)) {
      for (let at = 0; at < count; at++) yield flowOf(records, wanted[at] ?? 0);
    }
  } finally {
    borrowed.close();
  }
}

/**
 * First every connection that is there (`present`), then `new` and `destroyed` ones as the kernel tells of
 * them, until the signal is aborted or the iteration is left. Events that the kernel could not deliver are
 * reported as `{event: 'lost', lost, total}` with their exact number, and the table is read again.
 *
 * @throws as `flows`
 */
export async function* flowEvents(
  options: FlowEventOptions = {},
): AsyncGenerator<Exclude<News, { event: 'quiet' }>, void, void> {
  const native = requireNative();
  const filter = filterOf(options);
  const borrowed = new Borrowed(native);
  try {
    const netns = options.netns === undefined ? null : borrowed.namespace(options.netns);
    const { buffer = BUFFER, signal } = options;
    const how = { filter, netns: netns?.fd ?? null, buffer, ...(signal === undefined ? {} : { signal }) };
    for await (const news of follow(native, how)) if (news.event !== 'quiet') yield news;
  } finally {
    borrowed.close();
  }
}

function filterOf(options: FlowOptions): FlowFilter {
  const protocol = options.protocol === undefined ? null : protocolNumber(options.protocol);
  if (protocol === null && options.protocol !== undefined) {
    throw new SyntaxError(`'${options.protocol}' is no protocol`);
  }
  return {
    ...ANY_NAT,
    all: options.all ?? false,
    port: options.port ?? null,
    peer: options.peer === undefined ? null : parsePlace(options.peer),
    original: options.original === undefined ? null : parsePlace(options.original),
    protocol,
    zone: options.zone ?? null,
  };
}
