/** The recording of the original IPFIRE module, as scripts/ipfire-cases/derive.ts has taken it apart. */

import { readFileSync } from 'node:fs';

export interface RecordedStep {
  id: number;
  run: 'mroute-n' | 'mroute-y' | 'loader';
  /** What the recorder was about. */
  about: string;
  /** `getsockopt`, or the recorder's words. */
  call: string;
  /** Which socket, in the recorder's words. */
  target: string;
  result: number;
  errorName?: string;
  note?: string;
  local?: string;
  peer?: string;
  inText?: string;
  outText?: string;
  /** ADDRESS:PORT out of `out`. */
  decoded?: string;
}

export interface RecordedOption extends RecordedStep {
  call: 'getsockopt';
  level: number;
  option: number;
  /** The length argument before the call, and after it where that is another. */
  length: number;
  lengthOut?: number;
  how: 'plain' | 'value' | 'length';
  /** SO_DOMAIN, null where it is no socket, and SO_PROTOCOL. */
  domain: number | null;
  protocol: number;
  /** The buffer after the call; absent when nothing was written. */
  out?: string;
}

export interface Recording {
  release: string;
  module: { name: string; version: string };
  steps: RecordedStep[];
}

export function readRecording(): Recording {
  const path = new URL('../../platforms/linux/ipfire/recorded.json', import.meta.url);
  return JSON.parse(readFileSync(path, 'utf8'));
}

export function isOption(step: RecordedStep): step is RecordedOption {
  return step.call === 'getsockopt';
}
