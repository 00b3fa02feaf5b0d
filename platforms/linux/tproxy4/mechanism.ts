import {
  available,
  controlStep,
  decisiveStep,
  failedStep,
  isDenied,
  said,
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

/**
 * TPROXY hands a packet to a socket without rewriting it. Sources: net/ipv4/netfilter/nf_tproxy_ipv4.c,
 * Documentation/networking/tproxy.rst, net/ipv4/ip_sockglue.c for the privilege.
 */
export const tproxy4: Mechanism = {
  name: 'tproxy4',
  title: 'TPROXY and IP_TRANSPARENT, the packet unchanged',
  os: ['linux'],
  evidence: 'socket-name',
  questions: questions(['lookup', 'accept', 'spoof'], [4, 6], ['tcp', 'udp']),
  traces: ['/proc/net/ip_tables_targets'],
  explain:
    'A TPROXY rule assigns the packet to a local socket and marks it; a policy route delivers it locally. ' +
    'Nothing is rewritten, so the accepted socket’s own name is the original destination, and the ' +
    'kernel keeps no record that it was intercepted. The listener needs IP_TRANSPARENT; so does a socket that ' +
    'sends from a foreign address. Setting it takes CAP_NET_ADMIN or CAP_NET_RAW.',
  concludeProbe,
  concludeLookup,
};

function concludeProbe(question: Question, attempt: Attempt, host: HostContext): ProbeConclusion {
  const failed = failedStep(attempt);
  if (failed === undefined) return concludeAccepted(question, attempt, host);
  if (isDenied(failed)) {
    return {
      verdict: 'denied',
      reason: 'no-cap-net-admin',
      cause: `It takes CAP_NET_ADMIN or CAP_NET_RAW over this network namespace: ${said(failed)}.`,
      remedy: 'sudo origdst capabilities --mechanism tproxy4',
    };
  }
  if (failed.call === 'socket' && failed.errorName === 'EAFNOSUPPORT') {
    return {
      verdict: 'absent',
      reason: 'no-address-family',
      cause: `This kernel has no IPv${question.family}: socket says EAFNOSUPPORT.`,
      remedy: 'boot without ipv6.disable=1',
    };
  }
  if (failed.errorName === 'ENOPROTOOPT' || failed.errorName === 'EOPNOTSUPP') {
    return {
      verdict: 'absent',
      reason: 'no-option',
      cause: `This kernel does not know the option: ${said(failed)}.`,
      remedy: 'boot a kernel from 2.6.28 (IPv4) or 2.6.37 (IPv6) on',
    };
  }
  return unexpectedProbe(failed);
}

/** Every call was accepted: is that because of the option, and is there a rule target to go with it? */
function concludeAccepted(question: Question, attempt: Attempt, host: HostContext): ProbeConclusion {
  const control = controlStep(attempt);
  if (question.operation !== 'lookup' && control?.errorName !== 'EADDRNOTAVAIL') {
    return {
      verdict: 'unknown',
      reason: 'control-succeeded',
      cause:
        'A plain bind to a foreign address succeeds as well, so that the option proves nothing: ip_nonlocal_bind is set, ' +
        'a local route covers the address, or this namespace has no addresses.',
      remedy: `sysctl net.ipv${question.family}.ip_nonlocal_bind   # 0 is the default`,
    };
  }
  if (question.operation === 'accept') return concludeTarget(host);
  return available('accepted');
}

/** Accepting also takes a rule that can say TPROXY; the socket option is there without one. */
function concludeTarget(host: HostContext): ProbeConclusion {
  const xtables = host.kernelOption('CONFIG_NETFILTER_XT_TARGET_TPROXY');
  const nftables = host.kernelOption('CONFIG_NFT_TPROXY');
  const steps = [
    optionStep('CONFIG_NFT_TPROXY', nftables),
    optionStep('CONFIG_NETFILTER_XT_TARGET_TPROXY', xtables),
  ];
  if (xtables === 'n' && nftables === 'n') {
    return {
      verdict: 'absent',
      reason: 'no-tproxy-target',
      cause:
        'The socket option is there, but this kernel was built without a TPROXY rule target for nftables or iptables.',
      remedy: 'a kernel with CONFIG_NFT_TPROXY or CONFIG_NETFILTER_XT_TARGET_TPROXY',
      steps,
    };
  }
  return { ...available('accepted'), steps };
}

function optionStep(name: string, value: string | null): Step {
  const detail = value ?? 'the kernel configuration is not readable here';
  return { call: 'read', target: `kernel option ${name}`, result: 0, errno: null, errorName: null, detail };
}

function concludeLookup(attempt: LookupAttempt): Conclusion<LookupVerdict> {
  const failed = failedStep(attempt);
  if (failed !== undefined) return concludeFailure(failed);
  if (attempt.original === null) {
    return decisiveStep(attempt)?.call === 'getsockopt' ? notTransparent : needsSocket;
  }
  if (attempt.steps.some((step) => step.detail === OPENED_HERE)) return openedHere;
  if (controlStep(attempt)?.errorName === 'EADDRNOTAVAIL') {
    return {
      verdict: 'inferred',
      reason: 'foreign-local-address',
      cause:
        'The kernel keeps no record of TPROXY: inferred from IP_TRANSPARENT and from a local address that this host does not own.',
      remedy: 'origdst capabilities --prove   # proves the mechanism on this kernel',
    };
  }
  return {
    verdict: 'untranslated',
    reason: 'own-address',
    cause:
      'The socket is transparent, but its local address is this host’s own: the client addressed this host itself.',
    remedy: 'nft list ruleset   # does a tproxy rule match this client and port?',
  };
}

function concludeFailure(failed: Step): Conclusion<LookupVerdict> {
  const cause = `The socket could not be asked: ${said(failed)}.`;
  if (isDenied(failed)) {
    return {
      verdict: 'denied',
      reason: 'not-permitted',
      cause,
      remedy: 'run the same command as root (sudo)',
    };
  }
  return {
    verdict: 'unsupported',
    reason: failed.errorName === 'ENOTCONN' ? 'not-connected' : 'socket-kind',
    cause,
    remedy: 'name a connected TCP or UDP socket over IPv4 or IPv6',
  };
}

/** As platforms/linux/tcp_info.h tells from the counters of TCP_INFO. */
const OPENED_HERE = 'opened by this end';

const openedHere: Conclusion<LookupVerdict> = {
  verdict: 'reversed',
  reason: 'opened-here',
  cause:
    'The socket is transparent and has a foreign address, but this end opened the connection (TCP_INFO counts its SYN): ' +
    'it spoofs its source, as a proxy’s upstream connection does.',
  remedy: 'ask for the connection on the client’s side',
};

const notTransparent: Conclusion<LookupVerdict> = {
  verdict: 'no-entry',
  reason: 'not-transparent',
  cause: 'The socket has no IP_TRANSPARENT, so TPROXY did not bring this connection.',
  remedy: 'let the listener set IP_TRANSPARENT before bind',
};

const needsSocket: Conclusion<LookupVerdict> = {
  verdict: 'unsupported',
  reason: 'needs-socket',
  cause: 'TPROXY leaves no trace but the socket itself, and only addresses were given.',
  remedy: 'origdst lookup --pid PID --fd FD',
};
