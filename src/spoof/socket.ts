/** The socket that speaks from a foreign address: made, given the option, bound. A stage for each call. */

import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { failedStep, isDenied } from '../conclusion.ts';
import type { Namespace } from '../host/namespaces.ts';
import { SO_REUSEADDR, SOL_SOCKET } from '../host/socket-numbers.ts';
import type { Native } from '../native.ts';
import type { Endpoint, Family, Step } from '../verdict.ts';
import type { Stage, StageName } from './report.ts';
import type { SpoofRequest } from './request.ts';

export function stage(name: StageName, steps: Step[], note: string | null = null): Stage {
  const failed = failedStep({ original: null, steps });
  const verdict = failed === undefined ? 'ok' : isDenied(failed) ? 'denied' : 'failed';
  return { stage: name, verdict, note, steps };
}

/** Opens the socket and sets the option. `fd` is the caller's to close, whatever came of it. */
export function openSocket(native: Native, request: SpoofRequest): { fd: number | null; stages: Stage[] } {
  const { protocol, source, netns } = request;
  const { fd, steps } = native.openSocket(source.family, protocol, netns?.fd);
  const opened = stage('socket', steps);
  if (fd === null) return { fd, stages: [opened] };
  const prepared = native.prepare(request.mechanism, fd, {
    operation: 'spoof',
    family: source.family,
    protocol,
  });
  return { fd, stages: [opened, stage('option', prepared.steps)] };
}

export interface Control {
  stage: Stage;
  /** How this host comes to own the source address; null when it does not. */
  own: string | null;
}

/** A socket without the option must not be able to take the address, or the option proves nothing. */
export function controlBind(native: Native, { source, protocol, netns }: SpoofRequest): Control {
  const { fd, steps } = native.openSocket(source.family, protocol, netns?.fd);
  if (fd === null) return { stage: stage('control', steps), own: null };
  const bind = native.bind(fd, { ...source, port: 0 });
  native.close(fd);
  const control = { ...bind, target: 'source address', detail: 'control: without the option' };
  if (bind.errorName !== null) {
    const note = bind.errorName === 'EADDRNOTAVAIL' ? 'the address is not this host’s' : null;
    return { stage: { stage: 'control', verdict: 'ok', note, steps: [...steps, control] }, own: null };
  }
  const own = ownership(native, source, netns);
  const note =
    own ??
    `net.ipv${source.family}.ip_nonlocal_bind is set: every bind succeeds, so that this one tells nothing`;
  return {
    stage: { stage: 'control', verdict: own === null ? 'ok' : 'failed', note, steps: [...steps, control] },
    own,
  };
}

/** The bind passed: because the address is this host's, or only because ip_nonlocal_bind lets every bind pass? */
function ownership(native: Native, source: Endpoint, netns: Namespace | null): string | null {
  const look = () => ({ owner: interfaceOf(source.address), lax: isNonlocalBindSet(source.family) });
  const { owner, lax } = netns === null ? look() : native.inNamespace(netns.fd, look);
  if (owner !== null) return `the address is this host’s own, on ${owner}`;
  return lax ? null : 'this host takes the address as its own: a local route covers it';
}

function interfaceOf(address: string): string | null {
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    if (addresses?.some((one) => one.address === address)) return name;
  }
  return null;
}

function isNonlocalBindSet(family: Family): boolean {
  try {
    return readFileSync(`/proc/sys/net/ipv${family}/ip_nonlocal_bind`, 'utf8').trim() === '1';
  } catch {
    return false;
  }
}

/** Binds to the foreign address; `source` then has the port that the kernel chose. */
export function bindSource(
  native: Native,
  fd: number,
  { source, protocol }: SpoofRequest,
): { stages: Stage[]; source: Endpoint } {
  const steps: Step[] = [];
  if (source.port !== 0 && protocol === 'tcp') {
    // The same command twice: the first connection's TIME_WAIT must not keep the port, socket(7).
    const reuse = native.setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    steps.push({ ...reuse, target: 'SOL_SOCKET SO_REUSEADDR' });
  }
  steps.push({ ...native.bind(fd, source), target: 'source address', detail: 'with the option' });
  const bound = steps.at(-1)?.errorName === null ? native.describe(fd).local : null;
  return { stages: [stage('bind', steps)], source: bound ?? source };
}
