/** What it means that a packet filter's device could not be opened or did not know the request. */

import { isDenied, said } from '../../src/conclusion.ts';
import type { Conclusion, LookupVerdict, Os, Step } from '../../src/verdict.ts';

/** A device, and what puts it there on each system. */
export interface Device {
  path: string;
  /** As people call it. */
  filter: string;
  /** Loads the driver, where the system can. */
  load: Partial<Record<Os, string>>;
  /** Makes the node, where the system does not do so itself. */
  node: Partial<Record<Os, string>>;
}

export interface DeviceRefusal {
  kind: 'denied' | 'absent' | 'other-layout' | 'wrong-device' | 'not-open';
  reason: string;
  cause: string;
  remedy: string;
}

/** Does the step ask the device, rather than a socket? */
export function asksDevice(step: Step, device: Device): boolean {
  return step.target.startsWith(device.path);
}

/**
 * What open(2) or ioctl(2) on the device said, where it does not depend on the request. null: the answer is one of the
 * filter itself, and its own conclusion says what it means.
 */
export function deviceRefusal(
  step: Step | undefined,
  device: Device,
  os: Os | undefined,
): DeviceRefusal | null {
  if (step === undefined || step.errorName === null || !asksDevice(step, device)) return null;
  return step.call === 'open' ? openRefusal(step, device, os) : requestRefusal(step, device);
}

function openRefusal(step: Step, device: Device, os: Os | undefined): DeviceRefusal | null {
  const { path, filter } = device;
  switch (step.errorName) {
    case 'EACCES':
      return { kind: 'denied', ...deviceMode(step, device, os) };
    case 'EPERM':
      return superUser(step, device);
    case 'ENOENT':
      return {
        kind: 'absent',
        reason: 'no-device-node',
        cause: `There is no ${path}, the door to ${filter}: ${said(step)}.`,
        remedy: device.node[os ?? 'linux'] ?? device.load[os ?? 'linux'] ?? `ls -l ${path}`,
      };
    case 'ENXIO':
    case 'ENODEV':
    case 'EOPNOTSUPP':
      return {
        kind: 'absent',
        reason: 'no-driver',
        cause: `The node ${path} is there, but this kernel has no ${filter} behind it: ${said(step)}.`,
        remedy:
          device.load[os ?? 'linux'] ?? `boot a kernel with ${filter}: config(8); the GENERIC one has it`,
      };
    default:
      return null;
  }
}

/** `id -gn` is expanded by the shell of the user who may not open it, and so names that user’s group. */
function deviceMode(
  step: Step,
  { path, filter }: Device,
  os: Os | undefined,
): { reason: string; cause: string; remedy: string } {
  const node = path.slice('/dev/'.length);
  const kept: Partial<Record<Os, string>> = {
    freebsd: `   # lasting: "own ${node} root:GROUP" and "perm ${node} 0640" in /etc/devfs.conf`,
  };
  return {
    reason: 'device-mode',
    cause: `${filter} is asked through ${path}, which its mode keeps from this user: ${said(step)}.`,
    remedy: `su root -c "chgrp $(id -gn) ${path} && chmod 640 ${path}"${kept[os ?? 'linux'] ?? ''}`,
  };
}

function superUser(step: Step, { filter }: Device): DeviceRefusal {
  return {
    kind: 'denied',
    reason: 'super-user',
    cause: `${filter} answers the super-user alone, whatever the mode of its device: ${said(step)}.`,
    remedy: 'run the same command as root (su or doas)',
  };
}

function requestRefusal(step: Step, device: Device): DeviceRefusal | null {
  const { path, filter } = device;
  switch (step.errorName) {
    case 'EPERM':
      return superUser(step, device);
    // A number that it does not know: EACCES on a read-only descriptor of PF, ENODEV on another.
    case 'EACCES':
    case 'ENODEV':
      return {
        kind: 'other-layout',
        reason: 'unknown-request',
        cause: `${filter} of this kernel does not know the request (its number holds the size of a structure that differs by release): ${said(step)}.`,
        remedy: 'npm run build:native   # on this host, with the headers of this release',
      };
    case 'ENOTTY':
    case 'EOPNOTSUPP':
    case 'ENXIO':
    case 'EADDRNOTAVAIL':
      return {
        kind: 'wrong-device',
        reason: 'wrong-device',
        cause: `What opens as ${path} is not ${filter}: ${said(step)}.`,
        remedy: `ls -l ${path}   # the numbers of another device? remove it and make it anew: MAKEDEV(8)`,
      };
    case 'EBADF':
      return {
        kind: 'not-open',
        reason: 'not-open',
        cause: `The descriptor of ${path} was closed while it was asked: ${said(step)}.`,
        remedy: 'run the same command again',
      };
    default:
      return null;
  }
}

const LOOKUP: Record<DeviceRefusal['kind'], LookupVerdict> = {
  denied: 'denied',
  absent: 'unsupported',
  'other-layout': 'unsupported',
  'wrong-device': 'unsupported',
  'not-open': 'failed',
};

export function refusedLookup({ kind, ...rest }: DeviceRefusal): Conclusion<LookupVerdict> {
  return { verdict: LOOKUP[kind], ...rest };
}

/** A request that the kernel does not know says nothing about the filter: never `absent`. */
export function refusedProbe({ kind, ...rest }: DeviceRefusal): Conclusion<'denied' | 'absent' | 'unknown'> {
  const verdict = kind === 'denied' || kind === 'absent' ? kind : 'unknown';
  return { verdict, ...rest };
}

/** getsockname or getpeername did not answer: the filter was not asked at all. */
export function socketRefusal(step: Step | undefined): Conclusion<LookupVerdict> | null {
  if (step === undefined || !/^getsockname$|^getpeername$/.test(step.call)) return null;
  if (isDenied(step)) return null;
  const unconnected = step.errorName === 'ENOTCONN';
  return {
    verdict: 'unsupported',
    reason: unconnected ? 'not-connected' : 'socket-kind',
    cause: `The socket has no two addresses to look up: ${said(step)}.`,
    remedy: 'name a connected TCP or UDP socket, or both addresses: origdst lookup --peer PEER --local LOCAL',
  };
}
