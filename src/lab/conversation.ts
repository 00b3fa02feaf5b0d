/** One exchange over TCP or UDP, seen from both ends: who answered, and by which addresses each end knows it. */

import { formatEndpoint } from '../endpoint.ts';
import type { Endpoint, Family, Protocol, Question } from '../verdict.ts';
import type { LabHost } from './host.ts';
import { type Listener, ProofFailed, type Stage } from './stage.ts';

const REQUEST = 'who is there?';

/** Packets between namespaces of one kernel arrive before the call returns; a lost one never does. */
const PATIENCE_MS = 500;

const SOL_SOCKET = 1;
const SO_ERROR = 4;

/** The end that began. */
export interface Caller {
  fd: number;
  protocol: Protocol;
  to: Endpoint;
  /** Its own name for the connection. */
  local: Endpoint;
}

/** The other end. */
export interface Arrival {
  listener: Listener;
  /** The accepted connection, or for UDP the listener itself. */
  fd: number;
  /** TCP: the accepted socket's own name. UDP: the control message of IP_RECVORIGDSTADDR, null without it. */
  local: Endpoint | null;
  peer: Endpoint;
}

/** A source address that is not the caller's own, and the mechanism's option to use it. */
export interface Disguise {
  address: Endpoint;
  question: Question;
}

export function spoofing(address: Endpoint, protocol: Protocol): Disguise {
  return { address, question: { operation: 'spoof', family: address.family, protocol } };
}

/** Opens a connection, or sends the first datagram. */
export function call(
  stage: Stage,
  from: LabHost,
  to: Endpoint,
  protocol: Protocol,
  disguise?: Disguise,
): Caller {
  const fd = stage.open(from, to.family, protocol);
  if (disguise !== undefined) {
    disguiseAs(stage, fd, from.name, disguise);
  }
  const target = `${from.name} to ${formatEndpoint(to)} ${protocol}`;
  const step = stage.native.connect(fd, to);
  // A connection that is still being opened is no failure: connect(2), EINPROGRESS.
  if (step.errorName === 'EINPROGRESS')
    stage.note({ ...step, result: 0, errno: null, errorName: null }, target);
  else stage.must(step, target);
  const local = stage.native.describe(fd).local;
  if (local === null) throw new ProofFailed('no-answer', `${target}: the socket has no name`);
  if (protocol === 'udp') stage.must(stage.native.send(fd, Buffer.from(REQUEST)), target);
  return { fd, protocol, to, local };
}

function disguiseAs(stage: Stage, fd: number, who: string, { address, question }: Disguise): void {
  stage.prepare(fd, question, who);
  const step = stage.note(stage.native.bind(fd, address), `${who} ${formatEndpoint(address)}`);
  if (step.errorName === null) return;
  const without = 'the socket has no IP_TRANSPARENT, or the kernel does not honour it';
  throw new ProofFailed(
    'sender-not-transparent',
    `${who} may not use ${formatEndpoint(address)}: bind says ${step.errorName}; ${without}`,
  );
}

/** Waits for whichever listener the packets reach, and reads the request there. */
export async function arrival(
  stage: Stage,
  caller: Caller,
  listeners: readonly Listener[],
): Promise<Arrival | null> {
  const fd = await stage.ready(
    listeners.map((listener) => listener.fd),
    'read',
    PATIENCE_MS,
  );
  const listener = listeners.find((one) => one.fd === fd);
  if (listener === undefined) {
    noteSilence(stage, caller);
    return null;
  }
  return caller.protocol === 'tcp' ? acceptFrom(stage, caller, listener) : receiveFrom(stage, listener);
}

function noteSilence(stage: Stage, caller: Caller): void {
  const pending = stage.native.getOption(caller.fd, SOL_SOCKET, SO_ERROR);
  const detail = `nobody was reached in ${PATIENCE_MS} ms${pending.result > 0 ? `, SO_ERROR ${pending.result}` : ''}`;
  stage.note({ ...pending, call: 'poll', result: 0 }, formatEndpoint(caller.to), detail);
}

async function acceptFrom(stage: Stage, caller: Caller, listener: Listener): Promise<Arrival> {
  const accepted = stage.must(stage.native.accept(listener.fd), listener.name);
  stage.keep(accepted.result);
  const { local, peer } = stage.native.describe(accepted.result);
  if (local === null || peer === null)
    throw new ProofFailed('no-answer', `${listener.name}: the connection is gone`);
  await stage.ready([caller.fd], 'write', PATIENCE_MS);
  stage.must(stage.native.send(caller.fd, Buffer.from(REQUEST)), `request to ${formatEndpoint(caller.to)}`);
  await read(stage, accepted.result, listener.name, REQUEST);
  return { listener, fd: accepted.result, local, peer };
}

function receiveFrom(stage: Stage, listener: Listener): Arrival {
  const { step, from, original, bytes } = stage.native.receive(listener.fd, 64);
  stage.must(step, listener.name);
  if (from === null || bytes?.toString() !== REQUEST) {
    throw new ProofFailed('wrong-data', `${listener.name} received something else than was sent`);
  }
  return { listener, fd: listener.fd, local: original, peer: from };
}

/**
 * Answers, and sees the answer come back to the caller from where it had called.
 * @param fd the socket that answers; by default the one on which the request arrived
 */
export async function answer(stage: Stage, arrived: Arrival, caller: Caller, fd = arrived.fd): Promise<void> {
  const text = `${arrived.listener.name} answers`;
  const to = caller.protocol === 'udp' ? arrived.peer : undefined;
  stage.must(stage.native.send(fd, Buffer.from(text), to), text);
  const from = await read(stage, caller.fd, 'caller', text);
  // A connected datagram socket takes nothing from anywhere else; for TCP it is the connection itself.
  stage.expect('peer as the caller knows it', from ?? stage.native.describe(caller.fd).peer, caller.to);
}

async function read(stage: Stage, fd: number, who: string, expected: string): Promise<Endpoint | null> {
  if ((await stage.ready([fd], 'read', PATIENCE_MS)) === null) {
    throw new ProofFailed('no-data', `${who} waited ${PATIENCE_MS} ms in vain for “${expected}”`);
  }
  const { step, bytes, from } = stage.native.receive(fd, 64);
  stage.must(step, who);
  if (bytes?.toString() !== expected)
    throw new ProofFailed('wrong-data', `${who} read something else than “${expected}”`);
  return from;
}

/** @throws {ProofFailed} unless it was this listener that the packets reached */
export function reached(arrived: Arrival | null, wanted: Listener): Arrival {
  if (arrived === null)
    throw new ProofFailed('no-answer', `nobody was reached; the ${wanted.name} should have been`);
  if (arrived.listener === wanted) return arrived;
  throw new ProofFailed(
    'bypassed',
    `the packets reached the ${arrived.listener.name}, not the ${wanted.name}`,
  );
}

/** The families of a socket that may be dual-stack, for `openSocket`. */
export function anyAddress(family: Family): string {
  return family === 4 ? '0.0.0.0' : '::';
}
