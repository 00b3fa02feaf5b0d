/** What is known of this host: system, privileges, kernel configuration. Reads files, changes nothing. */

import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { arch, release, type as systemName } from 'node:os';
import type { HostContext } from '../mechanism.ts';
import type { Os, Step } from '../verdict.ts';
import { effectiveCapabilities } from './privilege.ts';

/** The host as the reports show it. */
export interface HostFacts {
  /** `linux`, `freebsd`, … as uname gives it, in lower case. */
  os: string;
  release: string;
  arch: string;
  euid: number;
  /** Identity of the network namespace, `net:[4026531840]`; null where there are none. */
  netns: string | null;
  /** Effective capabilities(7), e.g. `CAP_NET_ADMIN`. */
  capabilities: string[];
}

export function hostFacts(): HostFacts {
  return {
    os: systemName().toLowerCase(),
    release: release(),
    arch: arch(),
    euid: process.geteuid?.() ?? -1,
    netns: readNamespace(),
    capabilities: effectiveCapabilities(),
  };
}

function readNamespace(): string | null {
  try {
    return readlinkSync('/proc/self/ns/net');
  } catch {
    return null;
  }
}

export function isThisOs(facts: HostFacts, systems: readonly Os[]): boolean {
  return systems.some((os) => os === facts.os);
}

/** A step that names the system: the evidence for every row that belongs to another one. */
export function systemStep(facts: HostFacts): Step {
  return { call: 'uname', target: 'sysname', result: 0, errno: null, errorName: null, detail: facts.os };
}

export function hostContext(): HostContext {
  let configuration: string | null | undefined;
  return {
    os: process.platform as Os,
    kernelOption(name) {
      if (configuration === undefined) configuration = readConfiguration();
      if (configuration === null) return null;
      const match = new RegExp(`^${name}=([ym])$`, 'm').exec(configuration);
      return (match?.[1] as 'y' | 'm' | undefined) ?? 'n';
    },
    exists(path) {
      const there = existsSync(path);
      return {
        call: 'stat',
        target: path,
        result: there ? 0 : -1,
        errno: there ? null : 2,
        errorName: there ? null : 'ENOENT',
        detail: '',
      };
    },
    lists: findLine,
  };
}

/** At most five columns of the line: the sixth of /proc/modules is an address of the kernel. */
function findLine(path: string, word: string): Step {
  const step = { call: 'read', target: `${path}: ${word}`, result: 0, errno: null, errorName: null };
  const absent = { ...step, result: -1, errno: 2, errorName: 'ENOENT' };
  try {
    const lines = readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => line.split(' '));
    const line = lines.find(([first]) => first === word);
    if (line === undefined) return { ...absent, detail: 'not in the list' };
    return { ...step, detail: line.slice(0, 5).join(' ') };
  } catch (error) {
    const { code = 'EIO' } = error as NodeJS.ErrnoException;
    return { ...absent, errno: null, errorName: code, detail: 'the list cannot be read' };
  }
}

/**
 * /proc/config.gz (CONFIG_IKCONFIG_PROC) or the file that distributions put beside the kernel.
 * zlib is loaded only here: it would cost every command 2 ms of start-up.
 */
function readConfiguration(): string | null {
  const { gunzipSync } = process.getBuiltinModule('node:zlib');
  try {
    return gunzipSync(readFileSync('/proc/config.gz')).toString();
  } catch {
    try {
      return readFileSync(`/boot/config-${release()}`, 'utf8');
    } catch {
      return null;
    }
  }
}
