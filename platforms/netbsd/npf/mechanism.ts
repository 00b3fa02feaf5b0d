import {
  available,
  decisiveStep,
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
import { type Device, deviceRefusal, refusedLookup, refusedProbe, socketRefusal } from '../../bsd/device.ts';

/** Sources: npf(7), npf.conf(5); net/npf/npf_ctl.c and npf_conn.c of NetBSD. */
export const npf: Mechanism = {
  name: 'npf',
  title: 'NPF map, undone by IOC_NPF_CONN_LOOKUP',
  os: ['netbsd'],
  evidence: 'kernel-state',
  questions: questions(['lookup'], [4, 6], ['tcp', 'udp']),
  traces: ['/dev/npf'],
  explain:
    'A map rule rewrites the destination and NPF’s connection table remembers it; the proxy asks ' +
    '/dev/npf, naming the interface that the connection came in by and the direction of the reply. No ' +
    'socket tells the interface, so every one of the host is tried. NPF wants the super-user at open and ' +
    'at every request, whatever the mode of its device.',
  concludeProbe,
  concludeLookup,
};

const device: Device = {
  path: '/dev/npf',
  filter: 'NPF',
  load: { netbsd: 'modload npf' },
  node: { netbsd: 'cd /dev && sh MAKEDEV npf' },
};

/** A connection between documentation addresses: ESRCH, and the table has spoken. */
function concludeProbe(_question: Question, attempt: Attempt, host: HostContext): ProbeConclusion {
  const step = decisiveStep(attempt);
  const refusal = deviceRefusal(step, device, host.os ?? 'netbsd');
  if (refusal !== null) return refusedProbe(refusal);
  if (step?.target.endsWith('IOC_NPF_VERSION')) return { verdict: 'unknown', ...otherVersion(step) };
  if (step?.call === 'ioctl' && (step.errorName === 'ESRCH' || step.errorName === null)) {
    return available('table-answers');
  }
  if (step?.errorName === 'EINVAL') return { verdict: 'unknown', ...otherVersion(step) };
  return unexpectedProbe(step);
}

function concludeLookup(attempt: LookupAttempt): Conclusion<LookupVerdict> {
  const { original, local } = attempt;
  if (original === null || local === null) return concludeRefusal(attempt);
  if (!sameEndpoint(original, local)) return translated;
  return {
    verdict: 'untranslated',
    reason: 'destination-unchanged',
    cause: 'NPF tracks the connection, and its destination was not changed.',
    remedy: 'npfctl show   # does a map rule match this client and port?',
  };
}

function concludeRefusal(attempt: LookupAttempt): Conclusion<LookupVerdict> {
  const step = decisiveStep(attempt);
  const socket = socketRefusal(step);
  if (socket !== null) return socket;
  const refusal = deviceRefusal(step, device, attempt.os ?? 'netbsd');
  if (refusal !== null) return refusedLookup(refusal);
  switch (step?.errorName) {
    case 'ESRCH':
      return {
        verdict: 'no-entry',
        reason: 'no-connection',
        cause: `NPF does not track this connection (${step.detail}): it was not redirected here, or it expired: ${said(step)}.`,
        remedy: 'npfctl list   # the connections that NPF tracks',
      };
    case 'EINVAL':
      return { verdict: 'unsupported', ...otherVersion(step) };
    default:
      return unexpectedLookup(step);
  }
}

/** NPF says its version, 22 in NetBSD 10.99.12; another one may take another form of request. */
function otherVersion(step: Step): { reason: string; cause: string; remedy: string } {
  const answer = step.errorName === null ? `version ${step.detail.replace('value ', '')}` : said(step);
  return {
    reason: 'other-version',
    cause: `NPF of this kernel does not take the request in the form of the version that this was built for: ${answer}.`,
    remedy: 'npm run build:native   # on this host, with the headers of this release',
  };
}
