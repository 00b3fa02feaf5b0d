/** Reading steps, and the conclusions that several mechanisms draw in the same words. */

import type { Attempt, CapabilityVerdict, Conclusion, LookupVerdict, Step } from './verdict.ts';

/** A control is made to fail: its step says so. */
export function isControl(step: Step): boolean {
  return step.detail.startsWith('control:');
}

export function controlStep(attempt: Attempt): Step | undefined {
  return attempt.steps.find(isControl);
}

/** The step that decided an attempt: the last one that is no control. */
export function decisiveStep(attempt: Attempt): Step | undefined {
  return attempt.steps.findLast((step) => !isControl(step));
}

/** The first step that failed and was not meant to. */
export function failedStep(attempt: Attempt): Step | undefined {
  return attempt.steps.find((step) => step.errorName !== null && !isControl(step));
}

/** EPERM and EACCES say "you may not", never "there is none". */
export function isDenied(step: Step | undefined): boolean {
  return step?.errorName === 'EPERM' || step?.errorName === 'EACCES';
}

/** `getsockopt SOL_IP SO_ORIGINAL_DST says ENOENT` */
export function said(step: Step | undefined): string {
  if (step === undefined) return 'nothing was asked';
  return `${step.call} ${step.target} says ${step.errorName ?? (step.errno === null ? 'success' : `errno ${step.errno}`)}`;
}

/** The kernel accepted the call. */
export function available(reason: string): Conclusion<CapabilityVerdict> {
  return { verdict: 'available', reason, cause: null, remedy: null };
}

export const translated: Conclusion<LookupVerdict> = {
  verdict: 'translated',
  reason: 'translated',
  cause: null,
  remedy: null,
};

/** An answer that no source and no observation accounts for: said as it is, never guessed at. */
export function unexpectedProbe(step: Step | undefined): Conclusion<CapabilityVerdict> {
  return {
    verdict: 'unknown',
    reason: 'unexpected',
    cause: `${said(step)}, which it is not known to say.`,
    remedy: 'origdst capabilities --json   # and report the evidence',
  };
}

export function unexpectedLookup(step: Step | undefined): Conclusion<LookupVerdict> {
  return {
    verdict: 'failed',
    reason: 'unexpected',
    cause: `${said(step)}, which it is not known to say.`,
    remedy: 'origdst lookup --json   # and report the evidence',
  };
}
