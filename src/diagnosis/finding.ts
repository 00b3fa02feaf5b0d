/** What a check of the host finds out: one cause, and the command that mends it. */

import type { Step } from '../verdict.ts';

export interface Finding {
  /** Stable word for scripts. */
  reason: string;
  cause: string;
  remedy: string;
  steps: Step[];
}
