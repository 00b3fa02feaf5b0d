import {
  available,
  failedStep,
  isDenied,
  said,
  translated,
  unexpectedLookup,
  unexpectedProbe,
} from '../../../src/conclusion.ts';
import {
  type HostContext,
  type LookupAttempt,
  type Mechanism,
  type ProbeConclusion,
  questions,
} from '../../../src/mechanism.ts';
import type { Attempt, Conclusion, LookupVerdict, Question, Step } from '../../../src/verdict.ts';

/** The IPFIRE-wall kernel module. Source: kernel/ipfi_translation.c of IPFIRE-wall 1.99.5. */
export const ipfire: Mechanism = {
  name: 'ipfire',
  title: 'IPFIRE-wall’s getsockopt, option 200',
  os: ['linux'],
  evidence: 'kernel-state',
  questions: questions(['lookup'], [4], ['tcp']),
  traces: ['/proc/IPFIRE/policy', '/sys/module/ipfi'],
  onlyByName: true,
  explain:
    'IPFIRE-wall keeps its own destination NAT table and answers getsockopt(SOL_IP, 200) on an accepted IPv4 ' +
    'TCP socket. The number is also MRT_INIT: where the kernel has CONFIG_IP_MROUTE, multicast routing answers first.',
  concludeProbe,
  concludeLookup,
};

function concludeProbe(_question: Question, attempt: Attempt, host: HostContext): ProbeConclusion {
  const listed = host.lists('/proc/modules', 'ipfi');
  const traces = attempt.steps.filter(isTrace).filter(({ errorName }) => errorName === null);
  const loaded = listed.errorName === null || traces.length > 0;
  return { ...concludeOption(optionStep(attempt), loaded, attempt), steps: [listed] };
}

function concludeOption(step: Step | undefined, loaded: boolean, attempt: Attempt): ProbeConclusion {
  switch (step?.errorName) {
    case 'ENOENT':
      return available('module-answers');
    case 'EOPNOTSUPP':
      return {
        verdict: 'shadowed',
        reason: 'ip-mroute',
        cause:
          'Option 200 is also MRT_INIT, and this kernel has CONFIG_IP_MROUTE: multicast routing answers (EOPNOTSUPP) before ' +
          `the module could${loaded ? ', which is loaded: it redirects, and cannot be asked' : ''}.`,
        remedy: 'a kernel without CONFIG_IP_MROUTE, or nft redirect and the netfilter mechanism',
      };
    case 'ENOPROTOOPT':
      return loaded ? silent : absent;
    default:
      if (isDenied(step)) return denied(step);
      return unexpectedProbe(step ?? failedStep(attempt));
  }
}

const absent: ProbeConclusion = {
  verdict: 'absent',
  reason: 'module-absent',
  cause: 'The kernel module ipfi is not loaded: getsockopt says ENOPROTOOPT.',
  remedy: 'modprobe ipfi   # from IPFIRE-wall',
};

const silent: ProbeConclusion = {
  verdict: 'unknown',
  reason: 'module-silent',
  cause: 'Something of the kernel module ipfi shows, but getsockopt says ENOPROTOOPT, as without it.',
  remedy: 'grep ipfi /proc/modules   # is it being loaded or unloaded, or another module of that name?',
};

function denied(step: Step | undefined): ProbeConclusion {
  return {
    verdict: 'denied',
    reason: 'not-permitted',
    cause: `The module itself asks for no privilege: a cgroup program or a security module forbids the call, ${said(step)}.`,
    remedy: 'sudo origdst capabilities --mechanism ipfire',
  };
}

function optionStep(attempt: Attempt): Step | undefined {
  return attempt.steps.find(({ target }) => target.startsWith('SOL_IP 200'));
}

/** What only the module brings: not /proc/modules, and not the socket that is asked. */
function isTrace({ call, target }: Step): boolean {
  return (call === 'open' && target !== '/proc/modules') || target.startsWith('AF_NETLINK');
}

function concludeLookup(attempt: LookupAttempt): Conclusion<LookupVerdict> {
  if (attempt.original !== null) return translated;
  const step = optionStep(attempt);
  if (step === undefined) return concludeUnasked(attempt);
  switch (step.errorName) {
    case 'ENOENT':
      return attempt.peer === null ? gone : notRedirected;
    case 'EOPNOTSUPP':
      return unsupported(
        'ip-mroute',
        'Multicast routing (CONFIG_IP_MROUTE) owns option 200 in this kernel and answers before the module could.',
        'origdst lookup --mechanism netfilter   # or a kernel without CONFIG_IP_MROUTE',
      );
    case 'ENOPROTOOPT':
      return unsupported(
        'module-absent',
        `The kernel module ipfi is not loaded: ${said(step)}.`,
        'origdst capabilities --mechanism ipfire',
      );
    default:
      if (isDenied(step)) {
        const { reason, cause } = denied(step);
        return { verdict: 'denied', reason, cause, remedy: 'run the same command as root (sudo)' };
      }
      return unexpectedLookup(step);
  }
}

/** The socket is of a kind that the module does not know, so that it was not asked. */
function concludeUnasked(attempt: LookupAttempt): Conclusion<LookupVerdict> {
  const domain = attempt.steps.find(({ target }) => target.endsWith('SO_DOMAIN'));
  const protocol = attempt.steps.find(({ target }) => target.endsWith('SO_PROTOCOL'));
  if (domain?.detail === `value ${AF_INET6}`) {
    return unsupported(
      'ipv6-socket',
      'The module answers for AF_INET sockets only, and this one is AF_INET6; so is every connection of a dual-stack listener.',
      'let the proxy listen on 0.0.0.0 instead of ::',
    );
  }
  if (protocol?.detail === `value ${IPPROTO_MPTCP}`) {
    return unsupported(
      'mptcp-socket',
      'The connection speaks MPTCP (SO_PROTOCOL 262), whose sockets do not pass option 200 on to the module.',
      'let the proxy listen with plain TCP',
    );
  }
  if (domain === undefined && attempt.steps[0]?.call === 'open') {
    return unsupported(
      'needs-socket',
      'The module is asked about a socket, and only addresses were given.',
      'origdst lookup --mechanism ipfire --pid PID --fd FD',
    );
  }
  const failed = failedStep(attempt);
  const why = failed === undefined ? 'this socket is another one' : said(failed);
  return unsupported(
    'socket-kind',
    `The module answers for TCP over IPv4 only: ${why}.`,
    'name a connected TCP socket over IPv4',
  );
}

/** sys/socket.h and linux/in.h */
const AF_INET6 = 10;
const IPPROTO_MPTCP = 262;

/** Entries are there as long as the connection, and some seconds after a reset. */
const notRedirected: Conclusion<LookupVerdict> = {
  verdict: 'untranslated',
  reason: 'not-redirected',
  cause:
    'The module has no translation for this connection: no rule of its redirected it, or it came in another network namespace than the first.',
  remedy: 'cat /proc/IPFIRE/policy   # the module is there; then check the rules that were loaded',
};

const gone: Conclusion<LookupVerdict> = {
  verdict: 'no-entry',
  reason: 'connection-over',
  cause:
    'The connection is over, and the module has no translation for it (any more): it forgets some 10 seconds after a reset.',
  remedy: 'ask right after accept',
};

function unsupported(reason: string, cause: string, remedy: string): Conclusion<LookupVerdict> {
  return { verdict: 'unsupported', reason, cause, remedy };
}
