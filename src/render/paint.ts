/** Colours by meaning. The words carry the meaning too: nothing is said by colour alone. */

import { Chalk, type ChalkInstance } from 'chalk';
import type { CapabilityVerdict, LookupVerdict } from '../verdict.ts';
import type { Output } from './output.ts';

export function paint(output: Output): ChalkInstance {
  return new Chalk({ level: output.colour });
}

const COLOURS = {
  proven: 'green',
  available: 'green',
  translated: 'green',
  inferred: 'cyan',
  denied: 'yellow',
  unknown: 'yellow',
  shadowed: 'yellow',
  untranslated: 'yellow',
  reversed: 'yellow',
  'no-entry': 'yellow',
  absent: 'red',
  broken: 'red',
  unsupported: 'red',
  failed: 'red',
  'other-os': 'dim',
} as const satisfies Record<CapabilityVerdict | LookupVerdict, keyof ChalkInstance>;

export function paintVerdict(verdict: CapabilityVerdict | LookupVerdict, chalk: ChalkInstance): string {
  return chalk[COLOURS[verdict]](verdict);
}
