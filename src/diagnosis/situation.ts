/** What is asked of the doctor, together with what the host says: the checks draw their conclusions from it. */

import { isIP } from 'node:net';
import { within } from '../host/packet.ts';
import type { Routing } from '../host/policy-routes.ts';
import type { HostSocket, Native } from '../native.ts';
import type { Family, Protocol, Step } from '../verdict.ts';
import type { Problem, Severity } from './finding.ts';
import { type Interception, interceptions, takesPort } from './interceptions.ts';
import type { Readings } from './readings.ts';

export interface Request {
  /** The port of the proxy's listener. */
  port?: number | undefined;
  /** The client's address: the one that connections come from, or that they are spoofed from. */
  source?: string | undefined;
  /** Where the client wants to go. */
  destination?: { address: string; port: number } | undefined;
  protocol?: Protocol | undefined;
  /** A name of /run/netns, a path, or a process id. */
  netns?: string | undefined;
}

/** net/tcp_states.h */
const SYN_SENT = 2;
const CLOSE = 7;
const LISTEN = 10;

export class Situation {
  readonly native: Native;
  readonly request: Request;
  readonly readings: Readings;
  readonly protocol: Protocol;
  /** The families that are asked about. */
  readonly families: readonly Family[];
  readonly source: string | undefined;
  readonly destination: { address: string; port: number } | undefined;
  /** The listener's port, where it was named or follows from the rules. */
  readonly port: number | undefined;
  /** The port that clients connect to, where it is known. */
  readonly service: number | undefined;
  readonly #interceptions = new Map<Family, Interception[]>();

  constructor(native: Native, readings: Readings, request: Request) {
    this.native = native;
    this.request = request;
    this.readings = readings;
    this.protocol = request.protocol ?? 'tcp';
    this.source = request.source;
    this.destination = request.destination;
    const address = request.destination?.address ?? request.source;
    this.families = address === undefined ? [4, 6] : [isIP(address) === 6 ? 6 : 4];
    const asService = request.port !== undefined && this.#isService(request.port);
    this.port = asService ? undefined : request.port;
    this.service = request.destination?.port ?? (asService ? request.port : undefined);
  }

  /** `--port` may also name the port that clients connect to: no one listens there, and a rule takes it. */
  #isService(port: number): boolean {
    if (this.listeners(port).length > 0) return false;
    const all = this.families.flatMap((family) => this.#all(family));
    return (
      !all.some((one) => one.port === port && one.action.port !== null) &&
      all.some(({ rule }) => takesPort(rule, port) && rule.conditions.some(({ kind }) => kind === 'dport'))
    );
  }

  /** Every interception of a family, whatever it is for. */
  #all(family: Family): Interception[] {
    return interceptions(this.readings.rules, { family, protocol: this.protocol }).filter((one) =>
      this.#isLocal(one),
    );
  }

  /** Is the packet sent to this host? DNAT to another one (a container, say) intercepts nothing here. */
  #isLocal({ action, address }: Interception): boolean {
    if (action.kind !== 'dnat' || address === null) return true;
    if (within(address, ['127.0.0.0/8', '::1'])) return true;
    return this.isOwn(address);
  }

  /** Rules that send this family's traffic to this host, for whatever port and listener. */
  interceptions(family: Family): readonly Interception[] {
    let known = this.#interceptions.get(family);
    if (known === undefined) {
      known = this.#all(family);
      this.#interceptions.set(family, known);
    }
    return known;
  }

  /** Those that take the traffic that is asked about to the listener that is asked about. */
  relevant(family: Family): readonly Interception[] {
    const about = {
      family,
      protocol: this.protocol,
      saddr: this.source,
      daddr: this.destination?.address,
      dport: this.service,
    };
    return interceptions(this.readings.rules, about).filter(
      (one) =>
        this.#isLocal(one) &&
        (this.port === undefined || one.port === this.port) &&
        (this.service === undefined || takesPort(one.rule, this.service)),
    );
  }

  /** Is something of this family likely to be intercepted: asked for, or has this host addresses of it? */
  concerns(family: Family): boolean {
    if (!this.families.includes(family)) return false;
    if (this.families.length === 1) return true;
    return this.readings.links.links.some(
      ({ name, addresses }) =>
        name !== 'lo' &&
        addresses.some((own) => own.family === family && !own.address.toLowerCase().startsWith('fe80:')),
    );
  }

  /** Sockets that wait for connections or datagrams on a port. */
  listeners(port: number): HostSocket[] {
    return this.#waiting().filter(({ local }) => local.port === port);
  }

  /** Every listener that has IP_TRANSPARENT. */
  transparentListeners(): HostSocket[] {
    return this.#waiting().filter(({ transparent }) => transparent);
  }

  #waiting(): HostSocket[] {
    return this.readings
      .sockets(this.protocol)
      .sockets.filter(({ state, peer }) =>
        this.protocol === 'tcp' ? state === LISTEN : state === CLOSE && peer.port === 0,
      );
  }

  /** Connections that this host opened from an address that is not its own, and that wait for an answer. */
  unansweredSpoofs(): HostSocket[] {
    return this.readings
      .sockets('tcp')
      .sockets.filter(
        ({ state, transparent, local }) =>
          state === SYN_SENT && transparent && (this.source === undefined || local.address === this.source),
      );
  }

  /** A client's address and no listener: a connection that this host opens in the client's name. */
  get isSpoof(): boolean {
    return this.source !== undefined && this.port === undefined;
  }

  isOwn(address: string): boolean {
    return this.readings.links.links.some(({ addresses }) =>
      addresses.some((own) => own.address === address),
    );
  }

  /** The first address of an interface. */
  addressOf(link: string | null, family: Family): string | null {
    const own = this.readings.links.links.find(({ name }) => name === link)?.addresses;
    return own?.find((one) => one.family === family)?.address ?? null;
  }

  routing(family: Family): Routing {
    return this.readings.routing(family);
  }

  get ruleSteps(): Step[] {
    return this.readings.rules.steps;
  }

  get socketSteps(): Step[] {
    return this.readings.sockets(this.protocol).steps;
  }
}

/** A problem that was found, in the words of a check. */
export function problem(
  id: string,
  severity: Severity,
  family: Family | null,
  words: { cause: string; remedy: string; evidence: Step[] },
): Problem {
  return { id, severity, certainty: 'found', family, ...words };
}
