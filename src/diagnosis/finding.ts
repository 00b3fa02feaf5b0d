/** What a check of the host finds out: one cause, and the command that mends it. */

import type { Family, Step } from '../verdict.ts';

export interface Finding {
  /** Stable word for scripts. */
  reason: string;
  cause: string;
  remedy: string;
  steps: Step[];
}

/** error: the traffic that was asked about cannot work · warning: some cannot, or may not · info: good to know. */
export type Severity = 'error' | 'warning' | 'info';

export const SEVERITIES: readonly Severity[] = ['error', 'warning', 'info'];

/** What the doctor reports. */
export interface Problem {
  /** Stable word for scripts, e.g. `no-policy-rule`. */
  id: string;
  severity: Severity;
  /** `unknown`: it could not be looked at, so that nothing is said about it. */
  certainty: 'found' | 'unknown';
  /** The address family that it concerns; null for both, or neither. */
  family: Family | null;
  cause: string;
  /** Runs as printed, by root, in the namespace that was examined. */
  remedy: string;
  /** What was read. */
  evidence: Step[];
}

/** One thing that can be wrong with a host. A check that finds nothing returns an empty list. */
export interface Check<Subject> {
  /** Stable name of the check; its problems have ids of their own. */
  name: string;
  /** @param earlier what the checks before it found, for conclusions by elimination */
  run(subject: Subject, earlier: readonly Problem[]): Problem[];
}

/** Is the cause known already? Then what could only be concluded by elimination is not. */
export function isExplained(earlier: readonly Problem[]): boolean {
  return earlier.some(({ severity, certainty }) => severity === 'error' || certainty === 'unknown');
}
