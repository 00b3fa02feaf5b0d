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
import type { Attempt, Conclusion, LookupVerdict, Os, Question, Step } from '../../../src/verdict.ts';
import { type Device, deviceRefusal, refusedLookup, refusedProbe, socketRefusal } from '../device.ts';

/** Sources: ipnat(4), ipf(4); netinet/ip_nat.c of IPFilter 5.1.2. */
export const ipfilter: Mechanism = {
  name: 'ipfilter',
  title: 'IPFilter rdr, undone by its NAT table',
  os: ['freebsd', 'netbsd'],
  evidence: 'kernel-state',
  questions: questions(['lookup'], [4, 6], ['tcp', 'udp']),
  traces: ['/dev/ipnat'],
  explain:
    'An `rdr` rule rewrites the destination and the NAT table remembers it; the proxy asks /dev/ipnat ' +
    'with SIOCGNATL. On FreeBSD that request panics the kernel (a page fault, seen on 12.1; the code of ' +
    'current releases is the same), so there the table is read entry by entry with SIOCGENITER, and ' +
    'SIOCGNATL is only made with --allow-unsafe.',
  concludeProbe,
  concludeLookup,
};

const device: Device = {
  path: '/dev/ipnat',
  filter: 'IPFilter',
  load: { freebsd: 'kldload ipl', netbsd: 'modload ipl' },
  node: { netbsd: 'cd /dev && sh MAKEDEV ipl' },
};

/** The step that asked the table: giving the place in it back comes after it and decides nothing. */
function tableStep({ steps }: Attempt): Step | undefined {
  return (
    steps.findLast(({ target }) => /SIOCGENITER|SIOCGNATL/.test(target)) ??
    decisiveStep({ original: null, steps })
  );
}

/** A session between documentation addresses: none of it, and the table has spoken. */
function concludeProbe(_question: Question, attempt: Attempt, host: HostContext): ProbeConclusion {
  const step = tableStep(attempt);
  const refusal = deviceRefusal(step, device, host.os);
  if (refusal !== null) return refusedProbe(refusal);
  if (step?.call === 'ioctl' && (step.errorName === 'ESRCH' || step.errorName === null)) {
    return available('table-answers');
  }
  if (step?.errorName === 'EIO') return { verdict: 'absent', ...disabled(step) };
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
    cause: 'IPFilter has a session for the connection, and its destination was not changed.',
    remedy: 'ipnat -l   # does an rdr rule match this client and port?',
  };
}

function concludeRefusal(attempt: LookupAttempt): Conclusion<LookupVerdict> {
  const step = tableStep(attempt);
  const socket = socketRefusal(step);
  if (socket !== null) return socket;
  const refusal = deviceRefusal(step, device, attempt.os);
  if (refusal !== null) return refusedLookup(refusal);
  switch (step?.errorName) {
    // SIOCGENITER read the table to its end.
    case null:
    case 'ESRCH':
      return noSession(step, attempt.os);
    case 'EIO':
      return { verdict: 'unsupported', ...disabled(step) };
    case 'EINVAL':
      return { verdict: 'unsupported', ...otherVersion(step) };
    default:
      return unexpectedLookup(step);
  }
}

function noSession(step: Step, os: Os | undefined): Conclusion<LookupVerdict> {
  const answer = step.errorName === null ? `${step.call} ${step.target}: ${step.detail}` : said(step);
  // What was not done has to be said where it might be missed.
  const withheld =
    os === 'freebsd' && !step.target.endsWith('SIOCGNATL')
      ? ' SIOCGNATL, the request for one session, was not made: it is known to panic FreeBSD (--allow-unsafe makes it all the same).'
      : '';
  return {
    verdict: 'no-entry',
    reason: 'no-session',
    cause: `IPFilter has no NAT session for this connection (it was not redirected here, or its session expired): ${answer}.${withheld}`,
    remedy: 'ipnat -l   # rules and active sessions',
  };
}

function disabled(step: Step): { reason: string; cause: string; remedy: string } {
  return {
    reason: 'disabled',
    cause: `IPFilter is in this kernel and switched off: ${said(step)}.`,
    remedy: 'ipf -E',
  };
}

function otherVersion(step: Step): { reason: string; cause: string; remedy: string } {
  return {
    reason: 'other-version',
    cause: `IPFilter of this kernel does not take the request in the form of the version that this was built for: ${said(step)}.`,
    remedy: 'ipf -V; npm run build:native   # on this host, with the headers of this release',
  };
}
