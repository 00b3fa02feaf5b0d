/** What this system runs in: a container, WSL2, gVisor. By what proc(5), dmi and well-known files show. */

import { existsSync, readFileSync } from 'node:fs';
import type { Step } from '../verdict.ts';

export type EnvironmentName =
  | 'gvisor'
  | 'wsl2'
  | 'kubernetes'
  | 'docker'
  | 'podman'
  | 'lxc'
  | 'container'
  | 'user-namespace';

export interface Environment {
  name: EnvironmentName;
  step: Step;
}

/** Sources: systemd’s src/basic/virt.c for the files; gVisor’s pkg/sentry/fsimpl/proc for its version. */
const SIGNS: readonly { name: EnvironmentName; path: string; pattern: RegExp | null }[] = [
  { name: 'gvisor', path: '/proc/version', pattern: /gVisor/i },
  { name: 'gvisor', path: '/sys/class/dmi/id/product_name', pattern: /gVisor/i },
  { name: 'wsl2', path: '/proc/version', pattern: /microsoft/i },
  { name: 'kubernetes', path: '/var/run/secrets/kubernetes.io/serviceaccount', pattern: null },
  { name: 'kubernetes', path: '/proc/1/cgroup', pattern: /kubepods/ },
  { name: 'docker', path: '/.dockerenv', pattern: null },
  { name: 'podman', path: '/run/.containerenv', pattern: null },
  { name: 'lxc', path: '/proc/1/environ', pattern: /(^|\0)container=lxc/ },
  { name: 'container', path: '/proc/1/environ', pattern: /(^|\0)container=/ },
];

/** Everything that is recognised, each once; empty on a plain host, or where nothing may be read. */
export function readEnvironments(): Environment[] {
  const found: Environment[] = [];
  for (const { name, path, pattern } of SIGNS) {
    const detail = sign(path, pattern);
    if (detail === null || found.some((one) => one.name === name)) continue;
    found.push({
      name,
      step: { call: 'read', target: path, result: 0, errno: null, errorName: null, detail },
    });
  }
  return [...found, ...rootless()];
}

function sign(path: string, pattern: RegExp | null): string | null {
  try {
    if (pattern === null) return existsSync(path) ? 'is there' : null;
    const text = readFileSync(path, 'utf8');
    return pattern.test(text) ? (pattern.exec(text)?.[0].replace('\0', '') ?? '') : null;
  } catch {
    return null;
  }
}

/** user_namespaces(7): in the initial one, every id is mapped to itself. */
function rootless(): Environment[] {
  const target = '/proc/self/uid_map';
  try {
    const detail = readFileSync(target, 'utf8').trim().replace(/\s+/g, ' ');
    if (detail === '0 0 4294967295') return [];
    return [
      {
        name: 'user-namespace',
        step: { call: 'read', target, result: 0, errno: null, errorName: null, detail },
      },
    ];
  } catch {
    return [];
  }
}
