/** Recordings of real kernels as they are on disk, and the cases that are derived from them. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface RecordedBuffer {
  buffer: string;
  length: number;
  hex: string;
}

export interface RecordedStep {
  step: string;
  call: string;
  target: string | Record<string, string | number>;
  in?: RecordedBuffer[];
  out?: RecordedBuffer[];
  result: number;
  errno: number;
  errorName: string | null;
  note: string;
}

export interface Recording {
  os: string;
  release: string;
  arch: string;
  mechanism: string;
  recorded: string;
  kernelModified: boolean | string;
  constants: Record<string, number | string>;
  layout: Record<string, { size: number; offsets: Record<string, number> }>;
  steps: RecordedStep[];
}

/** One call that the backend makes, and what the kernel answered. */
export interface CaseCall {
  /** `ioctl 0xc04c4417`, `open /dev/pf 0`: name and scalar arguments. */
  call: string;
  in?: string[];
  out?: string[];
  result: number;
  errorName?: string;
  /** The step of the recording that this is. */
  step?: string;
  /** What is not as it was recorded, and why; absent where every byte is. */
  derived?: string;
}

export interface CaseEndpoint {
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
    /** Asked by descriptor: the addresses come from getsockname and getpeername. */
    fd: boolean;
    protocol: number;
    peer?: CaseEndpoint;
    local?: CaseEndpoint;
    interface?: string;
    rdomain?: number;
    unsafe?: boolean;
  };
  question?: { operation: 'lookup' | 'accept' | 'spoof'; family: 4 | 6; protocol: 'tcp' | 'udp' };
  calls: CaseCall[];
  /** As the note of the recording decodes it: `203.0.113.7:80`; null where there is none. */
  recordedOriginal?: string | null;
}

export interface CaseSet {
  os: 'freebsd' | 'openbsd' | 'netbsd';
  release: string;
  recording: string;
  recorded: string;
  kernelModified: boolean | string;
  cases: Case[];
  /** Steps of the recording that no case uses, with the reason. */
  unused: Record<string, string>;
}

/** A recording while it is taken apart: keeps account of which steps were used. */
export class Source {
  readonly recording: Recording;
  readonly os: CaseSet['os'];
  readonly file: string;
  readonly cases: Case[] = [];
  private readonly used = new Set<string>();
  private readonly unused: Record<string, string> = {};

  constructor(folder: string, file: string) {
    this.file = file;
    this.recording = JSON.parse(readFileSync(join(folder, `${file}.json`), 'utf8')) as Recording;
    this.os = this.recording.os.toLowerCase() as CaseSet['os'];
  }

  get steps(): RecordedStep[] {
    return this.recording.steps;
  }

  find(name: string): RecordedStep {
    const step = this.steps.find((one) => one.step === name);
    if (step === undefined) throw new Error(`${this.file} has no step ${name}`);
    return step;
  }

  has(name: string): boolean {
    return this.steps.some((one) => one.step === name);
  }

  /** A step as a call of a case, every byte as recorded unless `derived` says otherwise. */
  call(step: RecordedStep, derived?: string, change: Partial<CaseCall> = {}): CaseCall {
    this.used.add(step.step);
    const call: CaseCall = { call: callLine(step), result: step.result < 0 ? -step.errno : step.result };
    if (step.in !== undefined && step.in.length > 0) call.in = step.in.map(({ hex }) => hex);
    if (step.result >= 0 && step.out !== undefined && step.out.length > 0) {
      call.out = step.out.map(({ hex }) => hex);
    }
    if (step.errorName !== null) call.errorName = step.errorName;
    call.step = step.step;
    if (derived !== undefined) call.derived = derived;
    return { ...call, ...change };
  }

  /** The answer of one step, given to a request that was not recorded with it. */
  answer(step: RecordedStep, request: Pick<CaseCall, 'call' | 'in'>, derived: string): CaseCall {
    const { result, errorName } = this.call(step);
    return {
      ...request,
      result,
      ...(errorName === undefined ? {} : { errorName }),
      step: step.step,
      derived,
    };
  }

  /** Every datagram of the recording, for the file that reads control messages. */
  addMessages(): void {
    for (const step of this.steps) {
      const control = step.out?.find(({ buffer }) => buffer === 'msg_control');
      if (step.call !== 'recvmsg' || control === undefined) continue;
      this.used.add(step.step);
      const name = this.steps.find((one) => one.step === step.step.replace('recvmsg', 'getsockname'));
      this.add({
        name: `datagram: ${step.step}`,
        operation: 'message',
        flow: { fd: true, protocol: 17 },
        control: control.hex,
        calls: this.os === 'netbsd' ? [name === undefined ? unnamed(step) : this.call(name)] : [],
        recordedOriginal: destinationOf(this.os, step),
      });
      this.addStrangeMessages(step, control.hex);
    }
  }

  /** A message of another kind before those that were recorded, on its own, and none at all. */
  private addStrangeMessages(step: RecordedStep, control: string): void {
    if (step.step !== 'udp4-redirected-recvmsg' && step.step !== 'udp4-diverted-recvmsg') return;
    const strange = `18000000ffff00007b00000000000000${'00'.repeat(8)}`;
    const named = this.os === 'netbsd' ? [unnamed(step)] : [];
    const flow = { fd: true, protocol: 17 };
    const add = (name: string, hex: string, original: string | null) =>
      this.add({
        name: `datagram: ${name}`,
        operation: 'message',
        flow,
        control: hex,
        calls: original === null ? [] : named,
        recordedOriginal: original,
      });
    add('a message of another kind first', strange + control, destinationOf(this.os, step));
    add('only a message of another kind', strange, null);
    add('no message', '', null);
  }

  add(one: Case): void {
    this.cases.push(one);
  }

  leave(step: string, reason: string): void {
    if (!this.used.has(step)) this.unused[step] = reason;
  }

  /** @throws when a step is neither used nor left with a reason */
  finish(): CaseSet {
    for (const { step, call, note } of this.steps) {
      if (call === 'observation') this.leave(step, note);
      if (!this.used.has(step) && this.unused[step] === undefined) {
        throw new Error(`${this.file}: step ${step} is neither used nor left out`);
      }
    }
    const { release, recorded, kernelModified } = this.recording;
    const { os, file, cases, unused } = this;
    return { os, release, recording: file, recorded, kernelModified, cases, unused };
  }
}

function callLine({ call, target }: RecordedStep): string {
  if (typeof target === 'string' || target === undefined) return call;
  if (call === 'open') return `open ${target.path} 0`;
  if (call === 'ioctl') return `ioctl ${target.request}`;
  return `${call} ${target.level} ${target.option}`;
}

export function bytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}

/** The address and port of a sockaddr of a BSD: length, family, port, … */
export function sockaddr(hex: string): CaseEndpoint {
  const raw = bytes(hex);
  const family = raw.length === 16 ? 4 : 6;
  return {
    family,
    port: raw.readUInt16BE(2),
    hex: raw.subarray(family === 4 ? 4 : 8, family === 4 ? 8 : 24).toString('hex'),
  };
}

/** The address that the backends probe with, native/address.c: documentation ranges, any port. */
export const FOREIGN = { 4: 'c633644d', 6: '20010db8ffff00000000000000000077' } as const;

/** The listener's name, which a NetBSD host asks for: bound to the port that the rule redirects to. */
function unnamed({ step }: RecordedStep): CaseCall {
  const v6 = step.startsWith('udp6');
  const name = v6 ? `1c18${PORT}${'00'.repeat(24)}` : `1002${PORT}${'00'.repeat(12)}`;
  return { call: 'getsockname', out: [name], result: 0, derived: 'not recorded: a port of our own, 5300' };
}

const PORT = '14b4';

/** As the note spells the messages out: type 27 and 72 hold a sockaddr, 7 and 33 and 46 an address or a port. */
function destinationOf(os: CaseSet['os'], { note }: RecordedStep): string {
  const data = (type: number) => new RegExp(`type ${type} data ([0-9a-f]+)`).exec(note)?.[1];
  const whole = data(27) ?? data(72);
  if (os === 'freebsd' && whole !== undefined) return text(sockaddr(whole));
  const address = data(7) ?? data(46)?.slice(0, 32) ?? '';
  const port = os === 'openbsd' ? (data(33) ?? data(64) ?? '') : PORT;
  return text({ family: address.length === 8 ? 4 : 6, hex: address, port: Number.parseInt(port, 16) });
}

function text({ family, hex, port }: CaseEndpoint): string {
  const raw = bytes(hex);
  const groups = Array.from({ length: 8 }, (_, at) =>
    family === 6 ? raw.readUInt16BE(2 * at).toString(16) : '',
  );
  return family === 4 ? `${[...raw].join('.')}:${port}` : `[${groups.join(':')}]:${port}`;
}
