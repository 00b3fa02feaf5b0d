/** Replays the cases of a BSD mechanism: the backend, then the same conclusion that a host of that system would draw. */

import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostContext, LookupAttempt, Mechanism } from '../../src/mechanism.ts';
import type { Conclusion, Endpoint, Question, Step } from '../../src/verdict.ts';
import type { Bsd } from './build.ts';

export interface CaseCall {
  call: string;
  in?: string[];
  out?: string[];
  result: number;
  errorName?: string;
  step?: string;
  derived?: string;
}

interface HexEndpoint {
  family: 4 | 6;
  hex: string;
  port: number;
}

export interface Case {
  name: string;
  operation: 'lookup' | 'prepare' | 'probe' | 'message';
  /** What recvmsg(2) left in msg_control, for `message`. */
  control?: string;
  flow?: {
    fd: boolean;
    protocol: number;
    peer?: HexEndpoint;
    local?: HexEndpoint;
    interface?: string;
    rdomain?: number;
    unsafe?: boolean;
  };
  question?: Question;
  calls: CaseCall[];
  recordedOriginal?: string | null;
}

export interface CaseSet {
  os: Bsd;
  release: string;
  recording: string;
  kernelModified: boolean | string;
  cases: Case[];
  unused: Record<string, string>;
}

export interface CaseFile {
  schema: string;
  mechanism: string;
  recordings: CaseSet[];
}

/** What a case came to. */
export interface Replayed {
  mechanism: string;
  os: Bsd;
  recording: string;
  one: Case;
  /** Why the backend did not ask what the real kernel was asked; empty where it did. */
  mismatch: string;
  original: Endpoint | null;
  peer: Endpoint | null;
  local: Endpoint | null;
  steps: Step[];
  conclusion: Conclusion<string> | null;
}

export function readCases(root: string): CaseFile[] {
  return globSync('platforms/{bsd,freebsd,openbsd,netbsd}/*/cases.json', { cwd: root })
    .sort()
    .map((path) => JSON.parse(readFileSync(join(root, path), 'utf8')) as CaseFile);
}

export function replay(
  program: string,
  os: Bsd,
  files: readonly CaseFile[],
  mechanisms: readonly Mechanism[],
): Replayed[] {
  const chosen = files.flatMap(({ mechanism, recordings }) =>
    recordings
      .filter((set) => set.os === os)
      .flatMap(({ recording, cases }) => cases.map((one) => ({ mechanism, os, recording, one }))),
  );
  const script = chosen.map(({ mechanism, one }) => scriptOf(mechanism, one)).join('\n');
  const output = execFileSync(program, { input: script, encoding: 'utf8', maxBuffer: 1 << 26 });
  const answers = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RawAnswer);
  if (answers.length !== chosen.length)
    throw new Error(`${answers.length} answers to ${chosen.length} cases`);
  return chosen.map((row, at) => conclude(row, answers[at] as RawAnswer, mechanisms));
}

interface RawAnswer {
  mismatch: string;
  original: HexEndpoint | null;
  peer: HexEndpoint | null;
  local: HexEndpoint | null;
  steps: Step[];
}

function conclude(
  row: Pick<Replayed, 'mechanism' | 'os' | 'recording' | 'one'>,
  raw: RawAnswer,
  mechanisms: readonly Mechanism[],
): Replayed {
  const mechanism = mechanisms.find(({ name }) => name === row.mechanism);
  if (mechanism === undefined) throw new Error(`no mechanism ${row.mechanism}`);
  const [original, peer, local] = [raw.original, raw.peer, raw.local].map(endpoint);
  const attempt = { original: original ?? null, steps: raw.steps };
  const { one, os } = row;
  let conclusion: Conclusion<string> | null = null;
  if (one.operation === 'lookup') {
    const protocol = one.flow?.protocol === 17 ? 'udp' : 'tcp';
    const lookup: LookupAttempt = {
      ...attempt,
      os,
      protocol,
      peer: peer ?? null,
      local: local ?? null,
      zone: 0,
    };
    conclusion = mechanism.concludeLookup?.(lookup) ?? null;
  } else if (one.operation === 'probe' && one.question !== undefined) {
    conclusion = mechanism.concludeProbe?.(one.question, attempt, host(os)) ?? null;
  }
  return { ...row, mismatch: raw.mismatch, ...attempt, peer: peer ?? null, local: local ?? null, conclusion };
}

/** As src/host/context.ts sees a BSD host: no kernel configuration to read, none of Linux's files. */
function host(os: Bsd): HostContext {
  return {
    os,
    kernelOption: () => null,
    exists: (target) => ({ call: 'stat', target, result: -1, errno: 2, errorName: 'ENOENT', detail: '' }),
    lists: (target) => ({ call: 'read', target, result: -1, errno: 2, errorName: 'ENOENT', detail: '' }),
  };
}

function scriptOf(mechanism: string, one: Case): string {
  const { flow, question, control } = one;
  const lines = [`case ${one.name.replaceAll('"', "'")}`, `ask ${mechanism} ${one.operation}`];
  if (flow !== undefined) {
    // 0 is a descriptor like any other, and must not be taken for none.
    const fd = flow.fd ? 0 : -1;
    lines.push(
      `flow ${fd} ${flow.protocol} ${flow.rdomain ?? 0} ${flow.unsafe ? 1 : 0} ${flow.interface ?? ''}`,
    );
    for (const end of ['peer', 'local'] as const) {
      const place = flow[end];
      if (place !== undefined) lines.push(`${end} ${place.family} ${place.hex} ${place.port}`);
    }
  }
  if (question !== undefined) {
    lines.push(`question ${question.operation} ${question.family} ${question.protocol === 'tcp' ? 6 : 17}`);
  }
  if (control !== undefined) lines.push(`control ${control}`);
  for (const call of one.calls) {
    lines.push(`call ${call.call}`);
    lines.push(...(call.in ?? []).map((hex) => `in ${hex}`), ...(call.out ?? []).map((hex) => `out ${hex}`));
    const opens = /^(open|socket) /.test(call.call) && call.result >= 0;
    lines.push(`result ${opens ? 0 : call.result}`);
  }
  return [...lines, 'run'].join('\n');
}

function endpoint(raw: HexEndpoint | null): Endpoint | null {
  if (raw === null) return null;
  if (raw.family !== 4 && raw.family !== 6) throw new Error(`address family ${raw.family}`);
  const bytes = Buffer.from(raw.hex, 'hex');
  const address =
    raw.family === 4 ? [...bytes].join('.') : new URL(`http://[${groups(bytes)}]`).hostname.slice(1, -1);
  return { address, port: raw.port, family: raw.family };
}

function groups(bytes: Buffer): string {
  return Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(2 * at).toString(16)).join(':');
}
