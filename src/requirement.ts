/** `--require ID[=VERDICT]`: turns the matrix into a gate. */

import type { CapabilityRow } from './matrix.ts';
import type { CapabilityVerdict } from './verdict.ts';

const VERDICTS: readonly CapabilityVerdict[] = [
  'proven',
  'available',
  'denied',
  'absent',
  'shadowed',
  'broken',
  'other-os',
  'unknown',
];

export interface Requirement {
  /** As it was written. */
  text: string;
  /** A row's id, in which `*` stands for any characters. */
  pattern: RegExp;
  verdict: CapabilityVerdict;
}

export interface RequirementResult {
  requirement: string;
  met: boolean;
  /** Identities of the rows that do not meet it. */
  unmet: string[];
  /** Only missing permission keeps the answer from being known. */
  denied: boolean;
}

/** @throws {SyntaxError} for a verdict that does not exist or an empty identity. */
export function parseRequirement(text: string): Requirement {
  const [id = '', verdict = 'available', ...rest] = text.split('=');
  if (id === '' || rest.length > 0) throw new SyntaxError(`'${text}' is not ID or ID=VERDICT`);
  if (!VERDICTS.includes(verdict as CapabilityVerdict)) {
    throw new SyntaxError(`'${verdict}' is not a verdict: one of ${VERDICTS.join(', ')}`);
  }
  return { text, pattern: idPattern(id), verdict: verdict as CapabilityVerdict };
}

/** A row's identity, in which `*` stands for any characters. */
export function idPattern(id: string): RegExp {
  const pattern = id
    .split('*')
    .map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${pattern}$`);
}

/**
 * Every row that the pattern names must have the verdict; what is proven is also available.
 * @throws {SyntaxError} when it names no row: a gate that nothing can fail is a mistake.
 */
export function checkRequirement(
  requirement: Requirement,
  rows: readonly CapabilityRow[],
): RequirementResult {
  const named = rows.filter((row) => requirement.pattern.test(row.id));
  if (named.length === 0) {
    throw new SyntaxError(`'${requirement.text}' names no row; see: origdst capabilities --json`);
  }
  const unmet = named.filter(
    ({ verdict }) =>
      verdict !== requirement.verdict && !(requirement.verdict === 'available' && verdict === 'proven'),
  );
  return {
    requirement: requirement.text,
    met: unmet.length === 0,
    unmet: unmet.map((row) => row.id),
    denied: unmet.length > 0 && unmet.every((row) => row.verdict === 'denied'),
  };
}
