import { available, decisiveStep, said, translated, unexpectedProbe } from '../../../src/conclusion.ts';
import {
  type HostContext,
  type LookupAttempt,
  type Mechanism,
  type ProbeConclusion,
  questions,
} from '../../../src/mechanism.ts';
import type { Attempt, Conclusion, LookupVerdict, Question } from '../../../src/verdict.ts';

/** The IPFIRE-wall kernel module. Source: kernel/ipfi_translation.c of IPFIRE-wall 1.99.5. */
export const ipfire: Mechanism = {
  name: 'ipfire',
  title: 'IPFIRE-wall’s getsockopt, option 200',
  os: ['linux'],
  evidence: 'kernel-state',
  questions: questions(['lookup'], [4], ['tcp']),
  traces: ['/proc/IPFIRE/policy', '/sys/module/ipfi'],
  explain:
    'IPFIRE-wall keeps its own destination NAT table and answers getsockopt(SOL_IP, 200) on an accepted IPv4 ' +
    'TCP socket. The number is also MRT_INIT: where the kernel has CONFIG_IP_MROUTE, multicast routing answers first.',
  concludeProbe,
  concludeLookup,
};

function concludeProbe(_question: Question, attempt: Attempt, host: HostContext): ProbeConclusion {
  const module = host.exists('/proc/IPFIRE/policy');
  const step = decisiveStep(attempt);
  switch (step?.errorName) {
    case 'EOPNOTSUPP':
      return {
        verdict: 'shadowed',
        reason: 'ip-mroute',
        cause:
          'Option 200 is also MRT_INIT, and this kernel has CONFIG_IP_MROUTE: multicast routing answers (EOPNOTSUPP) before the module could.',
        remedy: 'a kernel without CONFIG_IP_MROUTE, or nft redirect and the netfilter mechanism',
        steps: [module],
      };
    case 'ENOPROTOOPT':
      return {
        verdict: 'absent',
        reason: 'module-absent',
        cause: 'The kernel module ipfi is not loaded: getsockopt says ENOPROTOOPT.',
        remedy: 'modprobe ipfi   # from IPFIRE-wall',
        steps: [module],
      };
    case 'ENOENT':
    case 'EINVAL':
      return { ...available('module-answers'), steps: [module] };
    default:
      return { ...unexpectedProbe(step), steps: [module] };
  }
}

function concludeLookup(attempt: LookupAttempt): Conclusion<LookupVerdict> {
  if (attempt.original !== null) return translated;
  const step = decisiveStep(attempt);
  switch (step?.errorName) {
    case 'ENOENT':
      return {
        verdict: 'no-entry',
        reason: 'no-entry',
        cause: 'The module has no translation for this connection; entries go some seconds after a reset.',
        remedy: 'ask right after accept, and check the rule with: cat /proc/IPFIRE/policy',
      };
    case 'EOPNOTSUPP':
      return {
        verdict: 'unsupported',
        reason: 'ip-mroute',
        cause:
          'Multicast routing (CONFIG_IP_MROUTE) owns option 200 in this kernel, or the socket is not plain TCP.',
        remedy: 'origdst lookup --mechanism netfilter',
      };
    default:
      return {
        verdict: 'unsupported',
        reason: 'module-absent',
        cause: `The kernel module ipfi does not answer for this socket: ${said(step)}.`,
        remedy: 'origdst capabilities --mechanism ipfire',
      };
  }
}
