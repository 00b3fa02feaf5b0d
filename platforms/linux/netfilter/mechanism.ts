import {
  available,
  controlStep,
  decisiveStep,
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
  type RefusedProbe,
} from '../../../src/mechanism.ts';
import type { Attempt, Conclusion, LookupVerdict, Question } from '../../../src/verdict.ts';

/**
 * Connection tracking undoes REDIRECT and DNAT. Sources: net/netfilter/nf_conntrack_proto.c for
 * the socket option, net/netfilter/nf_conntrack_netlink.c for the table.
 */
export const netfilter: Mechanism = {
  name: 'netfilter',
  title: 'REDIRECT and DNAT, undone by connection tracking',
  os: ['linux'],
  evidence: 'kernel-state',
  questions: questions(['lookup'], [4, 6], ['tcp', 'udp']),
  traces: ['/proc/sys/net/netfilter/nf_conntrack_max'],
  explain:
    'A NAT rule rewrites the destination of the first packet and connection tracking remembers both ' +
    'addresses. The accepted TCP socket can ask for the first one with SO_ORIGINAL_DST, unprivileged; ' +
    'for UDP, and for connections known only by their addresses, the table is asked over ctnetlink, ' +
    'which needs CAP_NET_ADMIN.',
  refuseProbe,
  concludeProbe,
  concludeLookup,
};

/** nfnetlink loads the module of a subsystem that it misses (nfnetlink_rcv_msg), and a probe must not. */
function refuseProbe(question: Question, host: HostContext): RefusedProbe | null {
  if (question.protocol !== 'udp' || host.kernelOption('CONFIG_NF_CT_NETLINK') !== 'm') return null;
  const module = host.exists('/sys/module/nf_conntrack_netlink');
  if (module.errno === null) return null;
  return {
    verdict: 'unknown',
    reason: 'module-not-loaded',
    cause: 'The kernel module nf_conntrack_netlink is not loaded, and asking would load it.',
    remedy: 'modprobe nf_conntrack_netlink',
    steps: [module],
  };
}

function concludeProbe(question: Question, attempt: Attempt, host: HostContext): ProbeConclusion {
  return question.protocol === 'udp' ? concludeTable(attempt) : concludeOption(question, attempt, host);
}

function concludeOption(question: Question, attempt: Attempt, host: HostContext): ProbeConclusion {
  const control = controlStep(attempt);
  const step = decisiveStep(attempt);
  if (control !== undefined && control.errorName !== 'ENOPROTOOPT') {
    return {
      verdict: 'unknown',
      reason: 'control-answered',
      cause:
        'The kernel also answers an option number that netfilter does not register, so its answer to this one says nothing.',
      remedy: 'origdst capabilities --json   # and report the evidence',
    };
  }
  if (step?.errorName === 'ENOENT') return available('registered');
  if (step?.call === 'socket' && step.errorName === 'EAFNOSUPPORT') return noFamily(question);
  if (step?.errorName !== 'ENOPROTOOPT') return unexpectedProbe(step);
  const built = host.kernelOption('CONFIG_NF_CONNTRACK');
  return {
    verdict: 'absent',
    reason: 'option-not-registered',
    cause: `${built === 'm' ? 'The module nf_conntrack is not loaded' : 'This kernel has no connection tracking'}: ${said(step)}.`,
    remedy: built === 'n' ? 'boot a kernel with CONFIG_NF_CONNTRACK' : 'modprobe nf_conntrack',
  };
}

function noFamily(question: Question): ProbeConclusion {
  return {
    verdict: 'absent',
    reason: 'no-address-family',
    cause: `This kernel has no IPv${question.family}: socket says EAFNOSUPPORT.`,
    remedy: 'boot without ipv6.disable=1',
  };
}

/** The flow that was asked for exists nowhere: ENOENT is the table speaking. */
function concludeTable(attempt: Attempt): ProbeConclusion {
  const step = decisiveStep(attempt);
  if (step?.call === 'ctnetlink get' && (step.errorName === 'ENOENT' || step.errorName === null)) {
    return available('table-answers');
  }
  if (isDenied(step)) {
    return {
      verdict: 'denied',
      reason: 'no-cap-net-admin',
      cause: `The conntrack table may only be asked with CAP_NET_ADMIN: ${said(step)}.`,
      remedy: 'sudo origdst capabilities --mechanism netfilter',
    };
  }
  if (step?.errorName === 'EPROTONOSUPPORT' || step?.errorName === 'EINVAL') {
    return {
      verdict: 'absent',
      reason: 'no-ctnetlink',
      cause: `This kernel has no ctnetlink: ${said(step)}.`,
      remedy: 'modprobe nf_conntrack_netlink',
    };
  }
  return unexpectedProbe(step);
}

function concludeLookup(attempt: LookupAttempt): Conclusion<LookupVerdict> {
  const { original, local, peer } = attempt;
  if (original === null || local === null) return concludeRefusal(attempt);
  if (sameEndpoint(original, local)) {
    return {
      verdict: 'untranslated',
      reason: 'destination-unchanged',
      cause:
        'The connection is tracked and its destination was not changed: the client addressed this socket itself.',
      remedy: 'nft list ruleset   # does a redirect or dnat rule match this client and port?',
    };
  }
  if (peer !== null && sameEndpoint(original, peer)) {
    return {
      verdict: 'reversed',
      reason: 'reply-direction',
      cause:
        'The kernel’s entry runs from this socket to its peer: either this socket opened the connection, ' +
        'or tracking began in the middle of it, with a packet of the reply.',
      remedy: `conntrack -D -p ${attempt.protocol} -s ${local.address} -d ${peer.address}   # then let the client connect anew`,
    };
  }
  return translated;
}

function concludeRefusal(attempt: LookupAttempt): Conclusion<LookupVerdict> {
  const step = decisiveStep(attempt);
  if (isDenied(step)) {
    return {
      verdict: 'denied',
      reason: 'no-cap-net-admin',
      cause: `The conntrack table may only be asked with CAP_NET_ADMIN over its namespace: ${said(step)}.`,
      remedy: 'run the same command as root (sudo)',
    };
  }
  switch (step?.errorName) {
    case 'ENOENT':
      return {
        verdict: 'no-entry',
        reason: 'no-entry',
        cause: `Connection tracking has no entry for this connection in the zone and namespace that were asked: ${said(step)}.`,
        remedy: 'conntrack -L   # is the connection tracked at all?',
      };
    case 'EOPNOTSUPP':
      return attempt.protocol === 'mptcp'
        ? mptcp
        : unsupported(step, 'socket-kind', 'ask for a TCP or UDP socket');
    case 'ENOTCONN':
      return unsupported(
        step,
        'not-connected',
        'name a connected socket, or --port for all connections of a listener',
      );
    case 'ENOPROTOOPT':
    case 'EPROTONOSUPPORT':
    case 'EINVAL':
      return unsupported(step, 'no-conntrack', 'modprobe -a nf_conntrack nf_conntrack_netlink');
    default:
      return unexpectedLookup(step);
  }
}

const mptcp: Conclusion<LookupVerdict> = {
  verdict: 'unsupported',
  reason: 'mptcp',
  cause: 'The socket speaks MPTCP (SO_PROTOCOL 262), which does not pass SO_ORIGINAL_DST on.',
  remedy: 'as root: origdst lookup --peer PEER --local LOCAL; or let the proxy listen with plain TCP',
};

function unsupported(
  step: ReturnType<typeof decisiveStep>,
  reason: string,
  remedy: string,
): Conclusion<LookupVerdict> {
  return {
    verdict: 'unsupported',
    reason,
    cause: `This socket has no original destination: ${said(step)}.`,
    remedy,
  };
}
