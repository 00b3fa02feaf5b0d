/** Everything that the checks read of a namespace, each thing once, and only when a check wants it. */

import { type CgroupListing, readCgroupPrograms } from '../host/cgroup-programs.ts';
import { type Counters, readConntrackStatistics, readNetstat } from '../host/counters.ts';
import { type LinkListing, readLinks } from '../host/links.ts';
import { type Routing, readRouting } from '../host/policy-routes.ts';
import { effectiveCapabilities } from '../host/privilege.ts';
import { type RuleListing, readRules } from '../host/rules.ts';
import { configuredInterfaces, readSysctl, type SysctlReading } from '../host/sysctl.ts';
import type { HostSocket, Native } from '../native.ts';
import type { Family, Protocol, Step } from '../verdict.ts';

export interface Readings {
  readonly rules: RuleListing;
  readonly links: LinkListing;
  readonly netstat: Counters;
  readonly conntrack: Counters;
  readonly capabilities: readonly string[];
  readonly cgroupPrograms: CgroupListing;
  routing(family: Family): Routing;
  sockets(protocol: Protocol): { sockets: HostSocket[]; steps: Step[] };
  sysctl(name: string): SysctlReading;
  interfaces(family: Family): readonly string[];
}

/** Of the namespace that the thread is in at the time of asking. */
export function liveReadings(native: Native): Readings {
  const kept = new Map<string, unknown>();
  const once = <T>(key: string, read: () => T): T => {
    if (!kept.has(key)) kept.set(key, read());
    return kept.get(key) as T;
  };
  return {
    get rules() {
      return once('rules', () => readRules(native, null));
    },
    get links() {
      return once('links', readLinks);
    },
    get netstat() {
      return once('netstat', readNetstat);
    },
    get conntrack() {
      return once('conntrack', readConntrackStatistics);
    },
    get capabilities() {
      return once('capabilities', effectiveCapabilities);
    },
    get cgroupPrograms() {
      return once('cgroup programs', () => readCgroupPrograms(native));
    },
    routing: (family) => once(`routing ${family}`, () => readRouting(family)),
    sockets: (protocol) => once(`sockets ${protocol}`, () => readSockets(native, protocol)),
    sysctl: (name) => once(`sysctl ${name}`, () => readSysctl(name)),
    interfaces: (family) => once(`interfaces ${family}`, () => configuredInterfaces(family)),
  };
}

function readSockets(native: Native, protocol: Protocol) {
  const listings = ([4, 6] as const).map((family) => native.sockets(family, protocol));
  return {
    sockets: listings.flatMap(({ sockets }) => sockets),
    steps: listings.flatMap(({ steps }) => steps),
  };
}
