import { available, decisiveStep, isDenied, said, unexpectedProbe } from '../../../src/conclusion.ts';
import { type Mechanism, type ProbeConclusion, questions } from '../../../src/mechanism.ts';
import type { Attempt, Question } from '../../../src/verdict.ts';
import { concludeByName, concludeMessages } from '../../bsd/socket-name.ts';

/** Sources: ipfw(8), ip(4) of FreeBSD. */
export const ipfw: Mechanism = {
  name: 'ipfw',
  title: 'ipfw fwd, the packet unchanged',
  os: ['freebsd'],
  evidence: 'socket-name',
  questions: questions(['lookup'], [4, 6], ['tcp', 'udp']),
  traces: [],
  explain:
    'A `fwd` rule hands the packet to a local socket without rewriting it: the accepted socket’s own ' +
    'name is the original destination, for UDP the control message IP_ORIGDSTADDR. Nothing in the ' +
    'kernel asserts that it was intercepted.',
  concludeProbe,
  concludeLookup: (attempt) => concludeByName(attempt, { rule: 'fwd of ipfw', rules: 'ipfw -a list' }),
};

function concludeProbe(question: Question, attempt: Attempt): ProbeConclusion {
  return question.protocol === 'udp' ? concludeMessages(question, attempt) : concludeModule(attempt);
}

/** A request too short to be one: refused by ipfw, unknown without it. */
function concludeModule(attempt: Attempt): ProbeConclusion {
  const step = decisiveStep(attempt);
  if (step?.call === 'getsockopt' && step.errorName === 'EINVAL') return available('module-answers');
  if (isDenied(step)) {
    return {
      verdict: 'denied',
      reason: 'no-raw-socket',
      cause: `Whether ipfw is loaded is asked through a raw socket, which is the super-user’s: ${said(step)}. A lookup needs no privilege.`,
      remedy: 'run the same command as root (su)',
    };
  }
  if (step?.call === 'getsockopt' && step.errorName === 'ENOPROTOOPT') {
    return {
      verdict: 'absent',
      reason: 'not-loaded',
      cause: `ipfw is not in this kernel: ${said(step)}.`,
      remedy:
        'kenv net.inet.ip.fw.default_to_accept=1 && kldload ipfw   # without the first, it shuts every connection',
    };
  }
  return unexpectedProbe(step);
}
