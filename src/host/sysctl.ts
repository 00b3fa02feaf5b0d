/** Kernel parameters, sysctl(8): a number, or why it could not be read. Of this thread's namespace. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { Step } from '../verdict.ts';

export interface SysctlReading {
  /** null: not there, or not readable; the step says which. */
  value: number | null;
  /** Nobody may set it in this namespace: what is one limit for all is the initial namespace's. */
  fixed: boolean;
  step: Step;
}

/** @param name with slashes: interface names have dots in them (`net/ipv4/conf/eth0.100/rp_filter`) */
export function readSysctl(name: string): SysctlReading {
  const target = `/proc/sys/${name}`;
  const step: Step = { call: 'read', target, result: 0, errno: null, errorName: null, detail: '' };
  try {
    const text = readFileSync(target, 'utf8').trim();
    const fixed = (statSync(target).mode & 0o222) === 0;
    return { value: Number(text), fixed, step: { ...step, detail: text } };
  } catch (error) {
    const { code = 'EIO', errno } = error as NodeJS.ErrnoException;
    return {
      value: null,
      fixed: false,
      step: { ...step, result: -1, errno: errno === undefined ? null : -errno, errorName: code },
    };
  }
}

/** The interfaces that have settings of their own, without the templates `all` and `default`. */
export function configuredInterfaces(family: 4 | 6): string[] {
  try {
    return readdirSync(`/proc/sys/net/ipv${family}/conf`).filter(
      (name) => name !== 'all' && name !== 'default',
    );
  } catch {
    return [];
  }
}

/** As sysctl(8) wants it on its command line: slashes where a name has dots of its own. */
export function sysctlName(name: string): string {
  return name.includes('.') ? name : name.replaceAll('/', '.');
}
