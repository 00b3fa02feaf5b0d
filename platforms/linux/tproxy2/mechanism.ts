import { available, decisiveStep, isDenied, said, unexpectedProbe } from '../../../src/conclusion.ts';
import { type Mechanism, type ProbeConclusion, questions } from '../../../src/mechanism.ts';
import type { Attempt, Question } from '../../../src/verdict.ts';

/** Balabit's TPROXY 2 patch for Linux 2.4 and 2.6. Source: its linux/netfilter_ipv4/ip_tproxy.h. */
export const tproxy2: Mechanism = {
  name: 'tproxy2',
  title: 'Balabit TPROXY 2, a patch for Linux 2.4 and 2.6',
  os: ['linux'],
  evidence: 'kernel-state',
  questions: questions(['accept', 'spoof'], [4], ['tcp', 'udp']),
  traces: ['/proc/net/tproxy'],
  explain:
    'The patch adds a NAT table “tproxy” and the option IP_TPROXY, which assigns a foreign address to a bound ' +
    'socket. What it redirects is found by SO_ORIGINAL_DST, as with REDIRECT. Replaced by TPROXY in Linux 2.6.28.',
  concludeProbe,
};

function concludeProbe(_question: Question, attempt: Attempt): ProbeConclusion {
  const step = decisiveStep(attempt);
  if (step?.call === 'getsockopt' && step.errorName === null) return available('version-answered');
  if (isDenied(step)) {
    return {
      verdict: 'denied',
      reason: 'not-permitted',
      cause: `${said(step)}.`,
      remedy: 'sudo origdst capabilities --mechanism tproxy2',
    };
  }
  if (step?.errorName === 'ENOPROTOOPT' || step?.errorName === 'EOPNOTSUPP') {
    return {
      verdict: 'absent',
      reason: 'no-option',
      cause: `This kernel does not carry the patch: ${said(step)}.`,
      remedy: 'use tproxy4, which every Linux from 2.6.28 on can have',
    };
  }
  return unexpectedProbe(step);
}
