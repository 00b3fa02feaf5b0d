/** Finds the connections that are meant, asks about each, and says why where there is no answer. */

import { catalogue } from '../platforms/index.ts';
import { explainUntracked } from './diagnosis/untracked.ts';
import { ExitCode, Failure } from './exit-codes.ts';
import { fromDescriptor } from './flows/descriptor.ts';
import { fromListener } from './flows/listener.ts';
import { fromProcess, fromProcessDescriptor, fromProcessName } from './flows/process.ts';
import { Borrowed, subject } from './flows/subject.ts';
import { hostFacts, isThisOs } from './host/context.ts';
import { NamespaceError, namespaceFailure } from './host/namespaces.ts';
import { inquire, type LookupResult, type Subject } from './inquiry.ts';
import type { Mechanism } from './mechanism.ts';
import type { Native } from './native.ts';
import type { Endpoint, Protocol } from './verdict.ts';

export type LookupRequest =
  | { way: 'fd'; fd: number }
  | { way: 'pid'; pid: number; fd: number | null; protocol: Protocol }
  | { way: 'process'; name: string; protocol: Protocol }
  | { way: 'port'; port: number; protocol: Protocol; netns: string | null }
  | { way: 'tuple'; peer: Endpoint; local: Endpoint; protocol: Protocol; netns: string | null; zone: number };

/** Looking into a connection that was not found takes milliseconds: so many of a listing are. */
const EXPLAINED = 32;

/**
 * @param mechanism a name of the catalogue, or `auto` for all that this host can have
 * @param unsafe make calls that are known to panic some kernel: SIOCGNATL on FreeBSD
 * @throws {Failure} when the connection cannot be named like this, or the mechanism is of another system
 */
export function lookup(
  native: Native,
  request: LookupRequest,
  mechanism: string,
  unsafe = false,
): LookupResult[] {
  const mechanisms = askable(native, mechanism);
  const borrowed = new Borrowed(native);
  try {
    let unexplained = 0;
    return select(native, borrowed, request).map((found) =>
      borrowed.lend(found, (one) => {
        const result = inquire(native, { ...one, unsafe }, mechanisms);
        if (result.original === null && ++unexplained > EXPLAINED) return result;
        return explainUntracked(native, one, result);
      }),
    );
  } catch (error) {
    if (error instanceof NamespaceError) throw namespaceFailure(error);
    throw error;
  } finally {
    borrowed.close();
  }
}

function select(native: Native, borrowed: Borrowed, request: LookupRequest): Subject[] {
  switch (request.way) {
    case 'fd':
      return fromDescriptor(native, borrowed, request.fd);
    case 'pid':
      return request.fd === null
        ? fromProcess(native, borrowed, request.pid, request.protocol)
        : fromProcessDescriptor(native, borrowed, request.pid, request.fd);
    case 'process':
      return fromProcessName(native, borrowed, request.name, request.protocol);
    case 'port':
      return fromListener(
        native,
        borrowed,
        request.port,
        request.protocol,
        namespace(borrowed, request.netns),
      );
    case 'tuple': {
      const { protocol, peer, local, zone } = request;
      return [subject({ protocol, peer, local, zone, netns: namespace(borrowed, request.netns) })];
    }
  }
}

function namespace(borrowed: Borrowed, spec: string | null): Subject['netns'] {
  return spec === null ? null : borrowed.namespace(spec);
}

/**
 * The mechanisms that are asked: all of this host that need not be named, or the one that is.
 * @throws {Failure} (not here) when there is none
 */
export function askable(native: Native, name: string): readonly Mechanism[] {
  const host = hostFacts();
  const known = native.mechanisms();
  const here = catalogue.filter(
    (mechanism) =>
      isThisOs(host, mechanism.os) &&
      known.includes(mechanism.name) &&
      mechanism.concludeLookup !== undefined,
  );
  const chosen = here.filter((mechanism) =>
    name === 'auto' ? mechanism.onlyByName !== true : mechanism.name === name,
  );
  if (chosen.length === 0) {
    throw new Failure(
      ExitCode.notHere,
      `this host (${host.os}) has no lookup by ${name === 'auto' ? 'any mechanism' : name}`,
      'origdst capabilities',
    );
  }
  return chosen;
}
