import {
  available,
  decisiveStep,
  failedStep,
  isDenied,
  said,
  translated,
  unexpectedLookup,
  unexpectedProbe,
} from '../../../src/conclusion.ts';
import { sameEndpoint } from '../../../src/endpoint.ts';
import {
  type HostContext,
  type LookupAttempt,
  type Mechanism,
  type ProbeConclusion,
  questions,
} from '../../../src/mechanism.ts';
import type { Attempt, Conclusion, LookupVerdict, Question, Step } from '../../../src/verdict.ts';

/** Balabit's TPROXY 2 patch for Linux 2.4 and 2.6. Source: its ip_tproxy.c, 2.0.6. */
export const tproxy2: Mechanism = {
  name: 'tproxy2',
  title: 'Balabit TPROXY 2, a patch for Linux 2.4 and 2.6',
  os: ['linux'],
  evidence: 'kernel-state',
  questions: questions(['lookup', 'accept', 'spoof'], [4], ['tcp', 'udp']),
  traces: ['/proc/net/tproxy'],
  onlyByName: true,
  explain:
    'The patch adds a NAT table “tproxy” and the option IP_TPROXY, which assigns a foreign address to a bound ' +
    'socket. What it redirects is found by SO_ORIGINAL_DST, as with REDIRECT. Replaced by TPROXY in Linux 2.6.28.',
  concludeProbe,
  concludeLookup,
};

function concludeProbe(question: Question, attempt: Attempt, host: HostContext): ProbeConclusion {
  return { ...concludeOption(question, attempt), steps: [tableStep(host)] };
}

function concludeOption(question: Question, attempt: Attempt): ProbeConclusion {
  const step = decisiveStep(attempt);
  const version = attempt.steps.find(isVersion);
  if (version === undefined) return unexpectedProbe(failedStep(attempt) ?? step);
  if (version.errorName === 'ENOPROTOOPT' || version.errorName === 'EOPNOTSUPP') return absent(version);
  if (question.operation === 'lookup') {
    if (version.errorName === null) return available('version-answered');
  } else if (step?.call === 'setsockopt' && step.errorName === 'EINVAL') return available('assign-answers');
  if (isDenied(step)) {
    return {
      verdict: 'denied',
      reason: 'not-permitted',
      cause: `Assigning a foreign address takes CAP_NET_ADMIN: ${said(step)}.`,
      remedy: 'sudo origdst capabilities --mechanism tproxy2',
    };
  }
  return unexpectedProbe(step);
}

function absent(step: Step): ProbeConclusion {
  return {
    verdict: 'absent',
    reason: 'no-option',
    cause: `This kernel does not carry the patch: ${said(step)}.`,
    remedy: 'use tproxy4, which every Linux from 2.6.28 on can have',
  };
}

/** /proc/net/ip_tables_names lists the tables of iptables-legacy; the patch adds one of its own. */
function tableStep(host: HostContext): Step {
  return host.lists('/proc/net/ip_tables_names', 'tproxy');
}

function isVersion({ target }: Step): boolean {
  return target.endsWith('(TPROXY_VERSION)');
}

function concludeLookup(attempt: LookupAttempt): Conclusion<LookupVerdict> {
  const { original, local, steps } = attempt;
  if (original !== null) return local !== null && sameEndpoint(original, local) ? own : translated;
  const version = steps.find(isVersion);
  if (version === undefined) return concludeUnasked(attempt);
  const step = decisiveStep(attempt);
  if (isDenied(step)) {
    return {
      verdict: 'denied',
      reason: 'not-permitted',
      cause: `${said(step)}.`,
      remedy: 'run the same command as root (sudo)',
    };
  }
  if (version.errorName !== null) {
    const cause =
      version.errorName === 'EINVAL'
        ? `The patch knows TCP and UDP over IPv4 only: ${said(version)}.`
        : `This kernel does not carry the patch: ${said(version)}.`;
    const reason = version.errorName === 'EINVAL' ? 'socket-kind' : 'no-option';
    return unsupported(reason, cause, 'origdst capabilities --mechanism tproxy2');
  }
  if (attempt.protocol === 'udp') return inMessage;
  if (step?.errorName === 'ENOENT') {
    return {
      verdict: 'no-entry',
      reason: 'no-entry',
      cause: `Connection tracking has no entry for this connection: ${said(step)}.`,
      remedy: 'cat /proc/net/ip_conntrack   # is the connection tracked at all?',
    };
  }
  return unexpectedLookup(step);
}

function concludeUnasked(attempt: LookupAttempt): Conclusion<LookupVerdict> {
  const failed = failedStep(attempt);
  if (attempt.protocol === 'udp') return inMessage;
  if (attempt.steps[0]?.call === 'open') {
    return unsupported(
      'needs-socket',
      'The patch is asked about a socket, and only addresses were given.',
      'origdst lookup --mechanism tproxy2 --pid PID --fd FD',
    );
  }
  return unsupported(
    failed?.errorName === 'ENOTCONN' ? 'not-connected' : 'socket-kind',
    `The socket could not be asked: ${said(failed)}.`,
    'name a connected TCP socket over IPv4',
  );
}

function unsupported(reason: string, cause: string, remedy: string): Conclusion<LookupVerdict> {
  return { verdict: 'unsupported', reason, cause, remedy };
}

const own: Conclusion<LookupVerdict> = {
  verdict: 'untranslated',
  reason: 'destination-unchanged',
  cause:
    'The connection is tracked and its destination was not changed: the client addressed this socket itself.',
  remedy: 'iptables -t tproxy -L -n   # does a TPROXY rule match this client and port?',
};

const inMessage: Conclusion<LookupVerdict> = {
  verdict: 'unsupported',
  reason: 'needs-message',
  cause:
    'A datagram’s original destination comes with it, in control message 11273 (IP_ORIGADDRS); afterwards nothing can be asked.',
  remedy: 'let the proxy set IP_RECVORIGADDRS (11273) and read the message',
};
