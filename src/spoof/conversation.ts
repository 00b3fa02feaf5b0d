/** Connect, wait for the handshake, send, receive. Waits by looking again, so that Ctrl-C is heard at once. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Native } from '../native.ts';
import type { Endpoint, Step } from '../verdict.ts';
import type { Stage } from './report.ts';
import { stage } from './socket.ts';

const LOOK_AGAIN_MS = 10;
const PIECE = 65536;
const MOST_RECEIVED = 1 << 20;

/** How long is waited, and what ends the waiting early. */
export interface Patience {
  /** On the clock of performance.now(). */
  deadline: number;
  signal: AbortSignal;
}

async function ready(
  native: Native,
  fd: number,
  events: 'read' | 'write',
  { deadline, signal }: Patience,
): Promise<boolean> {
  while (native.poll([fd], events, 0).length === 0) {
    if (performance.now() >= deadline) return false;
    await sleep(LOOK_AGAIN_MS, undefined, { signal });
  }
  return true;
}

/** connect(2): refuses at once where this host has no route or forbids it, else the handshake is under way. */
export function startConnect(native: Native, fd: number, target: Endpoint): Stage {
  const step = { ...native.connect(fd, target), target: 'target address' };
  if (step.errorName !== 'EINPROGRESS') return stage('connect', [step]);
  return { stage: 'connect', verdict: 'ok', note: null, steps: [step] };
}

/** A second connect(2) on the socket tells how the first one ended, with the name of the error. */
export async function awaitHandshake(
  native: Native,
  fd: number,
  target: Endpoint,
  patience: Patience,
): Promise<Stage> {
  await ready(native, fd, 'write', patience);
  const step = { ...native.connect(fd, target), target: 'target address', detail: 'asked how it ended' };
  if (step.errorName === 'EALREADY' || step.errorName === 'EINPROGRESS') {
    return { stage: 'handshake', verdict: 'waiting', note: 'no answer in time', steps: [step] };
  }
  return stage('handshake', [step]);
}

export interface Exchange {
  stage: Stage;
  received: Buffer | null;
  isClosed: boolean;
}

/** Sends all of `text`; waits for an answer where one is expected. */
export async function exchange(
  native: Native,
  fd: number,
  text: string | null,
  until: ((received: Buffer) => boolean) | null,
  patience: Patience,
): Promise<Exchange> {
  const steps: Step[] = [];
  if (text !== null) {
    steps.push(await sendAll(native, fd, Buffer.from(text), patience));
    if (steps.at(-1)?.errorName !== null) {
      return { stage: stage('data', steps), received: null, isClosed: false };
    }
  }
  if (until === null) return { stage: stage('data', steps), received: null, isClosed: false };
  const answer = await receive(native, fd, until, patience);
  steps.push(answer.last);
  if (answer.last.errorName === 'EAGAIN') {
    const waiting = { stage: 'data', verdict: 'waiting', note: 'no answer in time', steps } as const;
    return { ...answer, stage: waiting };
  }
  return { ...answer, stage: stage('data', steps) };
}

async function sendAll(native: Native, fd: number, bytes: Buffer, patience: Patience): Promise<Step> {
  let sent = 0;
  for (;;) {
    const step = native.send(fd, bytes.subarray(sent));
    if (step.errorName === 'EAGAIN' && (await ready(native, fd, 'write', patience))) continue;
    if (step.errorName !== null) return step;
    sent += step.result;
    if (sent >= bytes.length) return { ...step, result: sent };
  }
}

async function receive(
  native: Native,
  fd: number,
  until: (received: Buffer) => boolean,
  patience: Patience,
): Promise<{ received: Buffer; isClosed: boolean; last: Step }> {
  let received = Buffer.alloc(0);
  for (;;) {
    await ready(native, fd, 'read', patience);
    const { step, bytes } = native.receive(fd, PIECE);
    if (bytes === null) return { received, isClosed: false, last: step };
    received = Buffer.concat([received, bytes]);
    const isClosed = bytes.length === 0;
    if (isClosed || until(received) || received.length > MOST_RECEIVED) {
      return { received, isClosed, last: step };
    }
  }
}
