/** Examines a BSD host. The checks are from the manuals; none has been run on such a host yet. */

import type { Os } from '../../verdict.ts';
import { type Check, type Problem, SEVERITIES } from '../finding.ts';
import { deviceModes, forwarding, ipfilter, ipfw } from './host.ts';
import { type BsdHost, pfAnchors, pfEnabled } from './pf.ts';
import { type BsdReadings, liveBsdReadings } from './readings.ts';

/** In the order of a packet's way. */
const CHECKS: readonly Check<BsdHost>[] = [pfEnabled, pfAnchors, ipfw, ipfilter, forwarding, deviceModes];

export const BSD: readonly string[] = ['freebsd', 'openbsd', 'netbsd'];

export function examineBsd(
  os: Os,
  readings: BsdReadings = liveBsdReadings,
): { problems: Problem[]; checks: string[] } {
  const problems: Problem[] = [];
  for (const check of CHECKS) problems.push(...check.run({ os, readings }, problems));
  problems.sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
  return { problems, checks: CHECKS.map(({ name }) => name) };
}
