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

/** Sources: pf(4), pf.conf(5); net/pf_ioctl.c of each system. */
export const pf: Mechanism = {
  name: 'pf',
  title: 'PF rdr and rdr-to, undone by DIOCNATLOOK',
  os: ['freebsd', 'openbsd', 'netbsd'],
  evidence: 'kernel-state',
  questions: questions(['lookup'], [4, 6], ['tcp', 'udp']),
  traces: ['/dev/pf'],
  explain:
    'A translation rule rewrites the destination and PF’s state remembers it; the proxy asks /dev/pf ' +
    'with DIOCNATLOOK: first as the reply leaves (PF_OUT), then for what the host itself redirected ' +
    '(PF_IN). On OpenBSD 7.6 the kernel answers ENOENT to every one and the states are read instead; ' +
    'divert-to is the better choice there. A read-only descriptor is enough.',
  concludeProbe,
  concludeLookup,
};

const device: Device = {
  path: '/dev/pf',
  filter: 'PF',
  load: { freebsd: 'kldload pf', netbsd: 'modload pf' },
  node: { openbsd: 'cd /dev && sh MAKEDEV pf', netbsd: 'cd /dev && sh MAKEDEV pf' },
};

/** The flow that is asked for exists nowhere: ENOENT is the table speaking, enabled or not. */
function concludeProbe(_question: Question, attempt: Attempt, host: HostContext): ProbeConclusion {
  const step = decisiveStep(attempt);
  const refusal = deviceRefusal(step, device, host.os);
  if (refusal !== null) return refusedProbe(refusal);
  if (step?.call === 'ioctl' && (step.errorName === 'ENOENT' || step.errorName === null)) {
    return available('table-answers');
  }
  if (step?.errorName === 'EAFNOSUPPORT') return { verdict: 'absent', ...noFamily(step) };
  return unexpectedProbe(step);
}

function concludeLookup(attempt: LookupAttempt): Conclusion<LookupVerdict> {
  const { original, local } = attempt;
  if (original === null || local === null) return concludeRefusal(attempt);
  // PF answers for any state: one without a translation has the same address on both sides.
  if (!sameEndpoint(original, local)) return translated;
  return {
    verdict: 'untranslated',
    reason: 'destination-unchanged',
    cause: 'PF has a state for the connection, and its destination was not changed.',
    remedy: `${RULES[attempt.os ?? 'freebsd'] ?? RULES.freebsd}   # does a redirection match this client and port?`,
  };
}

/** OpenBSD has no translation rules of their own: rdr-to is an option of match and pass. */
const RULES: Partial<Record<Os, string>> & { freebsd: string } = {
  freebsd: 'pfctl -s nat',
  netbsd: 'pfctl -s nat',
  openbsd: 'pfctl -s rules',
};

function concludeRefusal(attempt: LookupAttempt): Conclusion<LookupVerdict> {
  const step = decisiveStep(attempt);
  const socket = socketRefusal(step);
  if (socket !== null) return socket;
  const refusal = deviceRefusal(step, device, attempt.os);
  if (refusal !== null) return refusedLookup(refusal);
  switch (step?.errorName) {
    // DIOCGETSTATES read the whole table, and nothing in it matched.
    case null:
    case 'ENOENT':
      return noState(step);
    case 'E2BIG':
      return {
        verdict: 'failed',
        reason: 'ambiguous',
        cause: `More than one state of PF has these addresses, on different interfaces, so that none can be named: ${said(step)}.`,
        remedy: 'pfctl -v -s state   # and bind states to interfaces: set state-policy if-bound, pf.conf(5)',
      };
    case 'EINVAL':
      return {
        verdict: 'unsupported',
        reason: 'incomplete-address',
        cause: `PF looks up whole tuples, and here an address, a port or the protocol is zero: ${said(step)}.`,
        remedy: 'origdst lookup --peer ADDRESS:PORT --local ADDRESS:PORT',
      };
    case 'EAFNOSUPPORT':
      return { verdict: 'unsupported', ...noFamily(step) };
    default:
      return unexpectedLookup(step);
  }
}

/** A PF that was never enabled says the same as one that has never seen the connection. */
function noState(step: Step | undefined): Conclusion<LookupVerdict> {
  return {
    verdict: 'no-entry',
    reason: 'no-state',
    cause: `PF has no state for this connection (it was not redirected here, its state expired, or PF is disabled): ${
      step?.errorName === null ? `${step.call} ${step.target}: ${step.detail}` : said(step)
    }.`,
    remedy: 'pfctl -s info; pfctl -s state   # "Status: Disabled"? pfctl -e',
  };
}

function noFamily(step: Step): { reason: string; cause: string; remedy: string } {
  return {
    reason: 'no-address-family',
    cause: `PF of this kernel does not know the address family: ${said(step)}.`,
    remedy: 'sysctl net.inet6   # a kernel without IPv6 has none of it',
  };
}
