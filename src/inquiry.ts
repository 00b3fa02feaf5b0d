/** Asks the mechanisms about one connection, in order, and folds their answers into one result. */

import { said } from './conclusion.ts';
import type { Namespace } from './host/namespaces.ts';
import type { LookupAttempt, Mechanism } from './mechanism.ts';
import type { Native, NativeFlow } from './native.ts';
import type { Conclusion, Endpoint, LookupVerdict, MechanismName, Os, Protocol, Step } from './verdict.ts';

/** Who holds the socket. */
export interface Owner {
  pid: number;
  fd: number;
  process: string;
}

/** A connection to be asked about. `fd` is a descriptor of this process, borrowed. */
export interface Subject {
  protocol: Protocol | 'mptcp';
  peer: Endpoint | null;
  local: Endpoint | null;
  fd: number | null;
  owner: Owner | null;
  /** The socket is still with its owner, and is borrowed when it is asked (Borrowed.lend). */
  isHeld?: boolean;
  /** The namespace where it lives, null for this process's own. */
  netns: Namespace | null;
  zone: number;
  /** May a call be made that is known to panic kernels? Only when it was asked for. */
  unsafe?: boolean;
  /** What was asked of the kernel to find the subject at all. */
  steps: Step[];
  /** Set when the subject is known but may not be asked (another user's socket, say). */
  refusal: Conclusion<LookupVerdict> | null;
}

export interface Evidence extends Step {
  /** null: a step that found the connection, not one of a mechanism. */
  mechanism: MechanismName | null;
}

export interface LookupResult extends Conclusion<LookupVerdict> {
  flow: {
    protocol: Protocol | 'mptcp';
    peer: { address: string; port: number } | null;
    local: { address: string; port: number } | null;
    pid: number | null;
    fd: number | null;
    process: string | null;
    netns: string | null;
    zone: number;
  };
  original: { address: string; port: number } | null;
  mechanism: MechanismName | null;
  evidence: Evidence[];
}

/**
 * The more a verdict says, the earlier it stands; of equals the first mechanism's is kept.
 * What was not allowed or failed outranks every "no": ignorance is not absence.
 */
const WEIGHT: readonly LookupVerdict[] = [
  'translated',
  'reversed',
  'inferred',
  'denied',
  'failed',
  'untranslated',
  'no-entry',
  'unsupported',
];

interface Answer {
  mechanism: MechanismName;
  attempt: LookupAttempt;
  conclusion: Conclusion<LookupVerdict>;
}

/** `mechanisms` are those of this host that have a lookup, in the order of the catalogue. */
export function inquire(native: Native, subject: Subject, mechanisms: readonly Mechanism[]): LookupResult {
  const found = subject.steps.map((step) => ({ ...step, mechanism: null }));
  if (subject.refusal !== null) return result(subject, null, subject.refusal, null, found);
  const answers: Answer[] = [];
  for (const mechanism of mechanisms) {
    answers.push(...ask(native, subject, mechanism));
    if (answers.some((answer) => answer.conclusion.verdict === 'translated')) break;
  }
  const [best] = answers.toSorted((a, b) => weight(a) - weight(b));
  if (best === undefined) throw new Error('no mechanism was asked');
  const evidence = answers.flatMap(({ mechanism, attempt }) =>
    attempt.steps.map((step) => ({ ...step, mechanism })),
  );
  return result(subject, best, best.conclusion, originalOf(best), [...found, ...evidence]);
}

function weight(answer: Answer): number {
  return WEIGHT.indexOf(answer.conclusion.verdict);
}

/** Only these two verdicts assert an original destination. */
function originalOf(best: Answer): Endpoint | null {
  const { verdict } = best.conclusion;
  return verdict === 'translated' || verdict === 'inferred' ? best.attempt.original : null;
}

/** One question, and a second one by the addresses alone where the socket cannot answer (MPTCP). */
function ask(native: Native, subject: Subject, mechanism: Mechanism): Answer[] {
  const first = askOnce(native, subject, mechanism, subject.fd);
  if (subject.fd === null || first.conclusion.reason !== 'mptcp') return [first];
  return [first, askOnce(native, { ...subject, protocol: 'tcp' }, mechanism, null)];
}

function askOnce(native: Native, subject: Subject, mechanism: Mechanism, fd: number | null): Answer {
  const flow: NativeFlow = { protocol: subject.protocol === 'udp' ? 'udp' : 'tcp', zone: subject.zone };
  if (fd !== null) flow.fd = fd;
  if (subject.peer !== null) flow.peer = subject.peer;
  if (subject.local !== null) flow.local = subject.local;
  if (subject.netns !== null) flow.netns = subject.netns.fd;
  if (subject.unsafe === true) flow.unsafe = true;
  const { steps, original, zone, peer, local } = native.lookup(mechanism.name, flow);
  const attempt: LookupAttempt = {
    os: process.platform as Os,
    steps,
    original,
    zone,
    protocol: subject.protocol,
    peer: peer ?? subject.peer,
    local: local ?? subject.local,
  };
  if (mechanism.concludeLookup === undefined) throw new Error(`${mechanism.name} has no lookup`);
  return {
    mechanism: mechanism.name,
    attempt,
    conclusion: namespaceRefusal(steps) ?? mechanism.concludeLookup(attempt),
  };
}

/** The namespace could not be entered: no mechanism was asked anything. */
function namespaceRefusal(steps: readonly Step[]): Conclusion<LookupVerdict> | null {
  const refused = steps.find((step) => step.call === 'setns' && step.errorName !== null);
  if (refused === undefined) return null;
  return {
    verdict: 'denied',
    reason: 'namespace',
    cause: `The connection lives in another network namespace, which this user may not enter: ${said(refused)}.`,
    remedy: 'run the same command as root (sudo)',
  };
}

function result(
  subject: Subject,
  best: Answer | null,
  conclusion: Conclusion<LookupVerdict>,
  original: Endpoint | null,
  evidence: Evidence[],
): LookupResult {
  return {
    flow: {
      protocol: subject.protocol,
      peer: plain(best?.attempt.peer ?? subject.peer),
      local: plain(best?.attempt.local ?? subject.local),
      pid: subject.owner?.pid ?? null,
      fd: subject.owner?.fd ?? null,
      process: subject.owner?.process ?? null,
      netns: subject.netns?.name ?? null,
      zone: best?.attempt.zone ?? subject.zone,
    },
    original: plain(original),
    verdict: conclusion.verdict,
    reason: conclusion.reason,
    mechanism: best?.mechanism ?? null,
    evidence,
    cause: conclusion.cause,
    remedy: conclusion.remedy,
  };
}

function plain(endpoint: Endpoint | null): { address: string; port: number } | null {
  return endpoint === null ? null : { address: endpoint.address, port: endpoint.port };
}
