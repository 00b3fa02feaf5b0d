/** The connection tracking table is full: new connections are dropped. Source: __nf_conntrack_alloc. */

import type { Check } from './finding.ts';
import { problem, type Situation } from './situation.ts';

const MAX = 'net/netfilter/nf_conntrack_max';
const COUNT = 'net/netfilter/nf_conntrack_count';
/** From here on it is worth a word. */
const NEARLY = 0.9;

export const conntrackFull: Check<Situation> = {
  name: 'conntrack-full',
  run({ readings }) {
    const max = readings.sysctl(MAX);
    const count = readings.sysctl(COUNT);
    if (max.value === null || count.value === null || max.value === 0) return [];
    const dropped = readings.conntrack.values.get('drop') ?? 0;
    const isFull = count.value >= max.value;
    if (!isFull && dropped === 0 && count.value < max.value * NEARLY) return [];
    const state = isFull
      ? `The connection tracking table is full (${count.value} of ${max.value} entries): new connections are dropped.`
      : dropped > 0
        ? `The connection tracking table was full: ${dropped} packets were dropped for want of room; now it has ${count.value} of ${max.value} entries.`
        : `The connection tracking table is nearly full: ${count.value} of ${max.value} entries.`;
    return [
      problem('conntrack-full', isFull ? 'error' : 'warning', null, {
        cause: state,
        remedy: max.fixed
          ? `conntrack -F   # forgets all connections; the limit is the host’s to raise: sysctl -w net.netfilter.nf_conntrack_max=${max.value * 2}`
          : `sysctl -w net.netfilter.nf_conntrack_max=${max.value * 2}`,
        evidence: [max.step, count.step, { ...readings.conntrack.step, detail: `drop ${dropped}` }],
      }),
    ];
  },
};
