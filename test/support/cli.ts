/** Runs the installed command as a user does: another process, its output and its exit code. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LookupResult } from '../../src/inquiry.ts';

export const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** Descriptor to pass on as the child's descriptor 3. */
  fd?: number;
  env?: NodeJS.ProcessEnv;
  /** Run by this user and group. */
  uid?: number;
}

export function origdst(args: readonly string[], { fd, env, uid }: RunOptions = {}): Ran {
  const child = spawnSync(process.execPath, [RUN, ...args], {
    encoding: 'utf8',
    timeout: 30_000,
    stdio: ['ignore', 'pipe', 'pipe', ...(fd === undefined ? [] : [fd])],
    env: { ...process.env, ...env },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  return { code: child.status, stdout: child.stdout, stderr: child.stderr };
}

/** `origdst lookup … --json`, its results and its exit code. */
export function lookupJson(
  args: readonly string[],
  options: RunOptions = {},
): { code: number | null; results: LookupResult[]; stderr: string } {
  const { code, stdout, stderr } = origdst(['lookup', '--json', ...args], options);
  return { code, stderr, results: stdout === '' ? [] : JSON.parse(stdout).results };
}
