import { available, decisiveStep, unexpectedProbe } from '../../../src/conclusion.ts';
import { type Mechanism, type ProbeConclusion, questions } from '../../../src/mechanism.ts';
import type { Attempt, Question } from '../../../src/verdict.ts';
import { type Device, deviceRefusal, refusedProbe } from '../../bsd/device.ts';
import { concludeByName, concludeMessages } from '../../bsd/socket-name.ts';

/** Sources: pf.conf(5), divert(4) and ip(4) of OpenBSD. */
export const divert: Mechanism = {
  name: 'divert',
  title: 'PF divert-to, the packet unchanged',
  os: ['openbsd'],
  evidence: 'socket-name',
  questions: questions(['lookup', 'accept'], [4, 6], ['tcp', 'udp']),
  traces: ['/dev/pf'],
  explain:
    'A `divert-to` rule hands the packet to a local socket without rewriting it: the accepted ' +
    'socket’s own name is the original destination; for UDP the control messages IP_RECVDSTADDR and ' +
    'IP_RECVDSTPORT.',
  concludeProbe,
  concludeLookup: (attempt) =>
    concludeByName(attempt, { rule: 'divert-to', rules: 'pfctl -s rules | grep divert-to' }),
};

const device: Device = {
  path: '/dev/pf',
  filter: 'PF',
  load: {},
  node: { openbsd: 'cd /dev && sh MAKEDEV pf' },
};

function concludeProbe(question: Question, attempt: Attempt): ProbeConclusion {
  if (question.protocol === 'udp') return concludeMessages(question, attempt);
  const step = decisiveStep(attempt);
  const refusal = deviceRefusal(step, device, 'openbsd');
  if (refusal?.kind === 'denied') {
    return {
      ...refusedProbe(refusal),
      cause: `${refusal.cause} The socket itself takes no privilege, the rule does.`,
    };
  }
  if (refusal !== null) return refusedProbe(refusal);
  return step?.call === 'open' && step.errorName === null ? available('device-opens') : unexpectedProbe(step);
}
