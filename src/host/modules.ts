/** Would asking the kernel load a module? Then it is not asked: what is not loaded has nothing to tell. */

import { readFileSync } from 'node:fs';
import type { Step } from '../verdict.ts';
import { hostContext } from './context.ts';

const MODULES = '/proc/modules';

/**
 * A step that says that a part of the kernel is a module that is not loaded; null where it is there, or
 * where that cannot be told. A request for what is not there makes the kernel load it: nfnetlink_rcv_msg
 * in net/netfilter/nfnetlink.c, sock_diag_rcv_msg in net/core/sock_diag.c.
 */
export function notLoaded(option: string, module: string): Step | null {
  const listed = readModules();
  if (listed === null || listed.split('\n').some((line) => line.startsWith(`${module} `))) return null;
  if (hostContext().kernelOption(option) !== 'm') return null;
  const detail = `${module} is a module of this kernel, and is not loaded`;
  return { call: 'read', target: MODULES, result: 0, errno: null, errorName: null, detail };
}

function readModules(): string | null {
  try {
    return readFileSync(MODULES, 'utf8');
  } catch {
    return null;
  }
}
