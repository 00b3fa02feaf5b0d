/** A listener that speaks Multipath TCP: its sockets cannot be asked for the original destination. */

import { notLoaded } from '../host/modules.ts';
import { readWith } from '../host/run.ts';
import type { Check } from './finding.ts';
import { problem, type Situation } from './situation.ts';

/** Go programs listen so by default since Go 1.24. SO_ORIGINAL_DST on such a socket says EOPNOTSUPP. */
export const mptcp: Check<Situation> = {
  name: 'mptcp',
  run(situation) {
    const { port, families, protocol } = situation;
    const nat = families
      .flatMap((family) => situation.relevant(family))
      .find(({ action }) => action.kind !== 'tproxy');
    const wanted = port ?? nat?.port ?? null;
    if (protocol !== 'tcp' || nat === undefined || wanted === null) return [];
    const enabled = situation.readings.sysctl('net/mptcp/enabled');
    if (enabled.value !== 1 || notLoaded('CONFIG_INET_MPTCP_DIAG', 'mptcp_diag') !== null) return [];
    const { text, step } = readWith('ss', '-HlnM', 'sport', '=', `:${wanted}`);
    if (text === null || text.trim() === '') return [];
    return [
      problem('mptcp-listener', 'info', null, {
        cause: `The listener on port ${wanted} accepts Multipath TCP: on such a socket SO_ORIGINAL_DST says EOPNOTSUPP, and only the conntrack table knows the destination.`,
        remedy: `GODEBUG=multipathtcp=0 …   # a Go program; or ask by addresses: origdst lookup --port ${wanted}`,
        evidence: [enabled.step, step],
      }),
    ];
  },
};
