/** ipfw `fwd` and PF `divert-to`: the packet is not rewritten, and the kernel asserts nothing. */

import { available, controlStep, failedStep, isDenied, said, unexpectedProbe } from '../../src/conclusion.ts';
import type { LookupAttempt, ProbeConclusion } from '../../src/mechanism.ts';
import type { Attempt, Conclusion, LookupVerdict, Question, Step } from '../../src/verdict.ts';
import { socketRefusal } from './device.ts';

export interface Action {
  /** `fwd of ipfw`, as it stands in a sentence. */
  rule: string;
  /** Shows the rules that should match. */
  rules: string;
}

/** Inferred where the local address belongs to no interface: nothing but such a rule brings that about. */
export function concludeByName(attempt: LookupAttempt, action: Action): Conclusion<LookupVerdict> {
  const failed = failedStep(attempt);
  if (failed !== undefined) return concludeFailure(failed, action);
  if (attempt.original === null) {
    return {
      verdict: 'unsupported',
      reason: 'needs-socket',
      cause: `${capital(action.rule)} leaves no trace but the socket itself, and only addresses were given.`,
      remedy: 'origdst lookup --fd 0   # in the process that accepted the connection',
    };
  }
  if (controlStep(attempt)?.errorName === 'EADDRNOTAVAIL') {
    return {
      verdict: 'inferred',
      reason: 'foreign-local-address',
      cause: `The kernel keeps no record of ${action.rule}: inferred from a local address that this host does not own.`,
      remedy: `${action.rules}   # the rule that brought it here`,
    };
  }
  return {
    verdict: 'untranslated',
    reason: 'own-address',
    cause: 'The local address is this host’s own: the client addressed this host itself.',
    remedy: `${action.rules}   # does a rule match this client and port?`,
  };
}

function concludeFailure(failed: Step, action: Action): Conclusion<LookupVerdict> {
  const socket = socketRefusal(failed);
  if (socket?.reason === 'not-connected') {
    return {
      ...socket,
      cause: `A datagram socket without a peer has no original destination of its own, each datagram has: ${said(failed)}.`,
      remedy: 'origdst listen-test --protocol udp   # shows what each datagram says',
    };
  }
  if (socket !== null) return socket;
  return {
    verdict: isDenied(failed) ? 'denied' : 'failed',
    reason: isDenied(failed) ? 'not-permitted' : 'unexpected',
    cause: `Whether the local address is this host’s own could not be asked for ${action.rule}: ${said(failed)}.`,
    remedy: 'run the same command as root (su or doas)',
  };
}

/** The control messages: setsockopt on a fresh socket. null where nothing was refused. */
export function concludeMessages(question: Question, attempt: Attempt): ProbeConclusion {
  const failed = failedStep(attempt);
  if (failed === undefined) return available('accepted');
  if (failed.call === 'socket') return noFamily(question, failed) ?? unexpectedProbe(failed);
  if (failed.errorName === 'ENOPROTOOPT' || failed.errorName === 'EINVAL') {
    return {
      verdict: 'absent',
      reason: 'no-option',
      cause: `This kernel cannot say where a datagram was sent to: ${said(failed)}.`,
      remedy: 'a newer release: ip(4) and ip6(4) of this system say which messages it has',
    };
  }
  return unexpectedProbe(failed);
}

export function noFamily(question: Question, failed: Step): ProbeConclusion | null {
  if (failed.errorName !== 'EAFNOSUPPORT' && failed.errorName !== 'EPROTONOSUPPORT') return null;
  return {
    verdict: 'absent',
    reason: 'no-address-family',
    cause: `This kernel has no IPv${question.family}: ${said(failed)}.`,
    remedy: 'a kernel with INET6, config(8)',
  };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
