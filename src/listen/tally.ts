/** The summary, counted as connections come and go; and what it means for the exit code. */

import type { Problem } from '../diagnosis/finding.ts';
import { sameEndpoint } from '../endpoint.ts';
import { ExitCode } from '../exit-codes.ts';
import type { LookupResult } from '../inquiry.ts';
import type { Endpoint } from '../verdict.ts';
import type { Arrival, Closed, Summary } from './arrival.ts';

export class Tally {
  readonly #expect: readonly Endpoint[];
  readonly #seen = new Set<Endpoint>();
  readonly #started = performance.now();
  readonly #counts = { connections: 0, intercepted: 0, direct: 0, unknown: 0, mismatched: 0, loops: 0 };
  readonly #bytes = { received: 0, sent: 0 };

  constructor(expect: readonly Endpoint[]) {
    this.#expect = expect;
  }

  get connections(): number {
    return this.#counts.connections;
  }

  get intercepted(): number {
    return this.#counts.intercepted;
  }

  /** Is this where it was expected to go? null when nothing is expected. */
  judge({ original }: LookupResult): boolean | null {
    if (this.#expect.length === 0) return null;
    const match = this.#expect.find(
      (expected) => original !== null && sameEndpoint(expected, { ...original, family: expected.family }),
    );
    if (match !== undefined) this.#seen.add(match);
    return match !== undefined;
  }

  arrived({ intercepted, expected }: Arrival): void {
    this.#counts.connections += 1;
    if (intercepted === true) this.#counts.intercepted += 1;
    else if (intercepted === false) this.#counts.direct += 1;
    else this.#counts.unknown += 1;
    if (expected === false) this.#counts.mismatched += 1;
  }

  closed({ received, sent, ending }: Closed): void {
    this.#bytes.received += received;
    this.#bytes.sent += sent;
    if (ending === 'loop') this.#counts.loops += 1;
  }

  summary(ended: Summary['ended'], dropped: number, problems: Problem[]): Summary {
    return {
      ended,
      seconds: Math.round(performance.now() - this.#started) / 1000,
      ...this.#counts,
      unseen: this.#expect
        .filter((expected) => !this.#seen.has(expected))
        .map(({ address, port }) => ({ address, port })),
      dropped,
      bytes: this.#bytes,
      problems,
    };
  }
}

/**
 * Interrupted comes first: nobody waits for an answer any more. A mismatch is a no whenever it
 * happened; what did not come in time is not. Without a count, one connection is enough for an answer.
 */
export function exitCode(summary: Summary, count: number | null): ExitCode {
  if (summary.ended === 'interrupted') return ExitCode.interrupted;
  if (summary.mismatched > 0 || summary.dropped > 0) return ExitCode.no;
  const missing = summary.connections < (count ?? 1) || summary.unseen.length > 0;
  if (missing) return summary.ended === 'timeout' ? ExitCode.timedOut : ExitCode.no;
  if (summary.intercepted > 0) return ExitCode.yes;
  return summary.unknown > 0 ? ExitCode.notPermitted : ExitCode.no;
}
