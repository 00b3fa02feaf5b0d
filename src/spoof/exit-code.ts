/** The exit code for a report: origdst-spoof-connect(1). */

import { ExitCode } from '../exit-codes.ts';
import type { SpoofReport, SpoofVerdict } from './report.ts';

const CODES: Record<SpoofVerdict, ExitCode> = {
  spoofed: ExitCode.yes,
  rewritten: ExitCode.no,
  'own-address': ExitCode.no,
  refused: ExitCode.no,
  unreachable: ExitCode.no,
  'not-sent': ExitCode.no,
  'no-reply': ExitCode.no,
  'dropped-here': ExitCode.no,
  'unexpected-data': ExitCode.no,
  unknown: ExitCode.timedOut,
  denied: ExitCode.notPermitted,
  unsupported: ExitCode.notHere,
  failed: ExitCode.no,
};

/** Waited in vain, and the target may be slow or down: no answer to the question. */
const OPEN = new Set(['target-silent', 'no-reply', 'no-data']);

export function exitCode({ verdict, reason }: Pick<SpoofReport, 'verdict' | 'reason'>): ExitCode {
  return OPEN.has(reason) ? ExitCode.timedOut : CODES[verdict];
}
