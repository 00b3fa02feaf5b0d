/** The kernel was built without something that the rules need. */

import { hostContext } from '../host/context.ts';
import type { Check, Problem } from './finding.ts';
import { problem, type Situation } from './situation.ts';

const NEEDED: Record<string, readonly string[]> = {
  tproxy: ['CONFIG_NFT_TPROXY', 'CONFIG_NETFILTER_XT_TARGET_TPROXY'],
  redirect: ['CONFIG_NFT_REDIR', 'CONFIG_NETFILTER_XT_TARGET_REDIRECT'],
  'policy routing': ['CONFIG_IP_MULTIPLE_TABLES'],
  'conntrack lookups': ['CONFIG_NF_CONNTRACK'],
};

/** Only where a rule that would need it is not there: one that is loaded proves that the kernel has it. */
export const kernel: Check<Situation> = {
  name: 'kernel',
  run(situation) {
    if (situation.families.some((family) => situation.interceptions(family).length > 0)) return [];
    const host = hostContext();
    return Object.entries(NEEDED).flatMap(([what, names]): Problem[] => {
      const values = names.map((name) => ({ name, value: host.kernelOption(name) }));
      if (values.some(({ value }) => value !== 'n')) return [];
      return [
        problem('kernel-option', 'warning', null, {
          cause: `This kernel was built without ${what}: ${names.join(' and ')} ${names.length > 1 ? 'are' : 'is'} not set.`,
          remedy: 'uname -r   # boot a kernel that has it: a distribution’s own usually does',
          evidence: values.map(({ name, value }) => ({
            call: 'read',
            target: `kernel option ${name}`,
            result: 0,
            errno: null,
            errorName: null,
            detail: value ?? '',
          })),
        }),
      ];
    });
  },
};
