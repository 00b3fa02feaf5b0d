/** PF: is it on, and does the rule set call the anchors that hold rules? Sources: pfctl(8), pf.conf(5). */

import type { Os } from '../../verdict.ts';
import type { Check, Problem } from '../finding.ts';
import { shellWord } from '../shell.ts';
import type { BsdReadings } from './readings.ts';

export interface BsdHost {
  os: Os;
  readings: BsdReadings;
}

export const pfEnabled: Check<BsdHost> = {
  name: 'pf-enabled',
  run({ readings }) {
    if (readings.device('/dev/pf').mode === null) return [];
    const { output, step } = readings.run('pfctl -s info');
    if (output === null) {
      return [
        problem('pf-unread', 'info', 'unknown', {
          cause: `Whether PF is enabled could not be read: ${step.detail || step.errorName || 'pfctl failed'}.`,
          remedy: 'pfctl -s info   # as root, or as a member of the group that may read /dev/pf',
          evidence: [step],
        }),
      ];
    }
    if (!/^Status: Disabled/m.test(output)) return [];
    return [
      problem('pf-disabled', 'error', 'found', {
        cause: 'PF is in the kernel and not enabled: no rule of it redirects anything.',
        remedy: 'pfctl -e',
        evidence: [step],
      }),
    ];
  },
};

/** Which lines call an anchor: OpenBSD has one kind of rule, the others call translations apart. */
const CALLS: Partial<Record<Os, string[]>> = {
  openbsd: ['pfctl -s rules'],
  freebsd: ['pfctl -s rules', 'pfctl -s nat'],
  netbsd: ['pfctl -s rules', 'pfctl -s nat'],
};

export const pfAnchors: Check<BsdHost> = {
  name: 'pf-anchors',
  run({ os, readings }) {
    const anchors = readings.run('pfctl -s Anchors');
    const names = (anchors.output ?? '')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
    if (names.length === 0) return [];
    const listings = (CALLS[os] ?? []).map((command) => readings.run(command));
    const called = [
      ...listings
        .map(({ output }) => output ?? '')
        .join('\n')
        .matchAll(/anchor "([^"]+)"/g),
    ].map(([, name = '']) => name);
    return names
      .filter((name) => !called.some((pattern) => matches(pattern, name)))
      .map((name) =>
        problem('pf-anchor-unreachable', 'warning', 'found', {
          cause: `The anchor “${name}” exists, and no rule of the main rule set calls it: its rules are never evaluated.`,
          remedy: `pfctl -a ${shellWord(name)} -s rules   # then call it in pf.conf: ${os === 'openbsd' ? '' : 'rdr-anchor and '}anchor "${name}"`,
          evidence: [anchors.step, ...listings.map(({ step }) => step)],
        }),
      );
  },
};

/** `anchor "relayd/*"` calls every anchor below relayd; pf.conf(5), ANCHORS. */
function matches(pattern: string, name: string): boolean {
  return pattern === name || (pattern.endsWith('/*') && `${name}/`.startsWith(pattern.slice(0, -1)));
}

export function problem(
  id: string,
  severity: Problem['severity'],
  certainty: Problem['certainty'],
  rest: Pick<Problem, 'cause' | 'remedy' | 'evidence'>,
): Problem {
  return { id, severity, certainty, family: null, ...rest };
}
