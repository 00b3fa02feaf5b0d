import {
  available,
  controlStep,
  failedStep,
  isDenied,
  said,
  unexpectedProbe,
} from '../../../src/conclusion.ts';
import { type HostContext, type Mechanism, type ProbeConclusion, questions } from '../../../src/mechanism.ts';
import type { Attempt, Os, Question, Step } from '../../../src/verdict.ts';
import { noFamily } from '../socket-name.ts';

/** Sources: ip(4), ip6(4), getsockopt(2). */
export const bindany: Mechanism = {
  name: 'bindany',
  title: 'SO_BINDANY and IP_BINDANY, foreign addresses on a socket',
  os: ['freebsd', 'openbsd', 'netbsd'],
  evidence: 'socket-name',
  questions: questions(['accept', 'spoof'], [4, 6], ['tcp', 'udp']),
  traces: [],
  explain:
    'The option lets a socket bind to an address that no interface has, to accept for it or to send ' +
    'from it. FreeBSD and NetBSD have IP_BINDANY and IPV6_BINDANY, OpenBSD SO_BINDANY; all want the ' +
    'super-user, even to clear it. The answers to a foreign address still need a rule that brings them here.',
  concludeProbe,
};

const PRIVILEGE: Partial<Record<Os, string>> = {
  freebsd: 'the privilege PRIV_NETINET_BINDANY, which root has, and root of a jail has not',
};

function concludeProbe(question: Question, attempt: Attempt, host: HostContext): ProbeConclusion {
  const control = controlStep(attempt);
  const failed = failedStep(attempt);
  if (failed !== undefined) return concludeFailure(question, failed, host.os);
  if (control !== undefined && control.errorName !== 'EADDRNOTAVAIL') {
    return {
      verdict: 'unknown',
      reason: 'control-succeeded',
      cause: `A plain bind to a foreign address does not fail as it should, so that the option proves nothing: ${said(control)}.`,
      remedy: 'ifconfig -a   # is 198.51.100.77 or 2001:db8:ffff::77 an address of this host?',
    };
  }
  return available('accepted');
}

function concludeFailure(question: Question, failed: Step, os: Os | undefined): ProbeConclusion {
  if (isDenied(failed)) {
    return {
      verdict: 'denied',
      reason: 'super-user',
      cause: `It takes ${PRIVILEGE[os ?? 'linux'] ?? 'the super-user'}: ${said(failed)}.`,
      remedy: 'run the same command as root (su or doas)',
    };
  }
  if (failed.call === 'socket') return noFamily(question, failed) ?? unexpectedProbe(failed);
  if (failed.errorName === 'ENOPROTOOPT' || failed.errorName === 'EINVAL') {
    return {
      verdict: 'absent',
      reason: 'no-option',
      cause: `This kernel does not know the option on such a socket: ${said(failed)}.`,
      remedy: 'a newer release: FreeBSD 7.0, OpenBSD 4.7 and NetBSD 8 have it',
    };
  }
  return unexpectedProbe(failed);
}
