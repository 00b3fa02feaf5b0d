/** Examines a namespace: every check, and the problems in the order in which a packet would meet them. */

import { isIP } from 'node:net';
import { ExitCode, Failure } from '../exit-codes.ts';
import { closeNamespace, NamespaceError, openNamespace } from '../host/namespaces.ts';
import type { Native } from '../native.ts';
import type { Os } from '../verdict.ts';
import { bridge } from './bridge.ts';
import { BSD, examineBsd } from './bsd/doctor.ts';
import { cgroupProgram } from './cgroup-program.ts';
import { conntrackFull } from './conntrack-full.ts';
import { environment } from './environment.ts';
import { type Check, type Problem, SEVERITIES } from './finding.ts';
import { firewall } from './firewall.ts';
import { kernel } from './kernel.ts';
import { listener } from './listener.ts';
import { mptcp } from './mptcp.ts';
import { policyRouteCheck } from './policy-route.ts';
import { liveReadings, type Readings } from './readings.ts';
import { replyBypass } from './reply-bypass.ts';
import { routeLocalnet } from './route-localnet.ts';
import { rpFilter } from './rp-filter.ts';
import { ruleMissing } from './rule-missing.ts';
import { ruleShadowed } from './rule-shadowed.ts';
import { selfLoop } from './self-loop.ts';
import { settings } from './settings.ts';
import { type Request, Situation } from './situation.ts';
import { spoofedReply } from './spoofed-reply.ts';
import { srcValidMark } from './src-valid-mark.ts';
import { tracking } from './tracking.ts';
import { unread } from './unread.ts';

export type { Problem } from './finding.ts';
export type { Request } from './situation.ts';

export interface Diagnosis {
  request: {
    port: number | null;
    source: string | null;
    destination: { address: string; port: number } | null;
    protocol: 'tcp' | 'udp';
    netns: string | null;
  };
  /** The cause first. Empty: nothing was found, and everything could be looked at. */
  problems: Problem[];
  /** Names of the checks that were made. */
  checks: string[];
}

/** In the order of a packet's way: of two causes that are equally certain, the earlier one hides the later. */
const CHECKS: readonly Check<Situation>[] = [
  unread,
  kernel,
  bridge,
  conntrackFull,
  ruleMissing,
  ruleShadowed,
  tracking,
  srcValidMark,
  routeLocalnet,
  policyRouteCheck,
  firewall,
  listener,
  selfLoop,
  spoofedReply,
  rpFilter,
  replyBypass,
  mptcp,
  settings,
  cgroupProgram,
  environment,
];

/**
 * Reads, and changes nothing.
 * @throws {Failure} when the namespace cannot be entered, or the question makes no sense
 */
export function examine(native: Native, request: Request): Diagnosis {
  validate(request);
  if (BSD.includes(process.platform))
    return { request: asked(request), ...examineBsd(process.platform as Os) };
  if (request.netns === undefined) return diagnose(native, liveReadings(native), request);
  const namespace = open(request.netns);
  try {
    return native.inNamespace(namespace.fd, () => diagnose(native, liveReadings(native), request));
  } catch (error) {
    const step = (error as { step?: { call: string; errorName: string | null } }).step;
    if (step === undefined) throw error;
    throw new Failure(
      ExitCode.notPermitted,
      `namespace '${request.netns}' may not be entered: ${step.call} says ${step.errorName}`,
      'run the same command as root (sudo)',
    );
  } finally {
    closeNamespace(namespace);
  }
}

/** The same, from readings: recorded ones as well. */
export function diagnose(native: Native, readings: Readings, request: Request): Diagnosis {
  const situation = new Situation(native, readings, request);
  const problems: Problem[] = [];
  for (const check of CHECKS) problems.push(...check.run(situation, problems));
  return {
    request: asked(request),
    problems: problems.toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity)),
    checks: CHECKS.map(({ name }) => name),
  };
}

function asked({ port, source, destination, protocol, netns }: Request): Diagnosis['request'] {
  return {
    port: port ?? null,
    source: source ?? null,
    destination: destination ?? null,
    protocol: protocol ?? 'tcp',
    netns: netns ?? null,
  };
}

function validate({ source, destination }: Request): void {
  if (source !== undefined && isIP(source) === 0) {
    throw new Failure(ExitCode.usage, `'${source}' is not an IP address`);
  }
  if (source !== undefined && destination !== undefined && isIP(source) !== isIP(destination.address)) {
    throw new Failure(ExitCode.usage, 'source and destination are addresses of different families');
  }
}

function open(spec: string) {
  try {
    return openNamespace(spec);
  } catch (error) {
    if (!(error instanceof NamespaceError)) throw error;
    const denied = error.code === 'EACCES' || error.code === 'EPERM';
    throw new Failure(
      denied ? ExitCode.notPermitted : ExitCode.usage,
      error.message,
      denied ? 'run the same command as root (sudo)' : 'ip netns list',
    );
  }
}
