/** Settings that are legitimate, and that change what a tool or a proxy sees. */

import type { Check, Problem } from './finding.ts';
import { problem, type Situation } from './situation.ts';

export const settings: Check<Situation> = {
  name: 'settings',
  run(situation) {
    return [...nonlocalBind(situation), ...midStream(situation)];
  },
};

function nonlocalBind({ readings, families }: Situation): Problem[] {
  return families.flatMap((family) => {
    const { value, step } = readings.sysctl(`net/ipv${family}/ip_nonlocal_bind`);
    if (value !== 1) return [];
    return [
      problem('nonlocal-bind', 'info', family, {
        cause: `net.ipv${family}.ip_nonlocal_bind is 1: every program may bind to any IPv${family} address, so that a bind proves nothing about IP_TRANSPARENT.`,
        remedy: `sysctl -w net.ipv${family}.ip_nonlocal_bind=0`,
        evidence: [step],
      }),
    ];
  });
}

/** Only worth a word where a lookup depends on connection tracking, and entries were taken up mid-stream. */
function midStream(situation: Situation): Problem[] {
  const { readings, families } = situation;
  const nat = families.some((family) =>
    situation.relevant(family).some(({ action }) => action.kind !== 'tproxy'),
  );
  const { value, step } = readings.sysctl('net/netfilter/nf_conntrack_tcp_loose');
  if (!nat || value !== 1) return [];
  return [
    problem('tcp-loose', 'info', null, {
      cause:
        'nf_conntrack_tcp_loose is 1, as by default: a connection whose entry was lost is taken up again mid-stream, without its ' +
        'translation and possibly in the reply direction, and a lookup then gives a wrong address.',
      remedy: 'sysctl -w net.netfilter.nf_conntrack_tcp_loose=0',
      evidence: [step],
    }),
  ];
}
