/**
 * src_valid_mark makes the check of a packet's source look at its mark: the table that delivers marked
 * packets locally then says that the source is this host itself, and the packet is a martian.
 * Source: __fib_validate_source in net/ipv4/fib_frontend.c. wg-quick(8) and Tailscale set it.
 */

import { sysctlName } from '../host/sysctl.ts';
import type { Check } from './finding.ts';
import { shellWord } from './shell.ts';
import { problem, type Situation } from './situation.ts';

export const srcValidMark: Check<Situation> = {
  name: 'src-valid-mark',
  run(situation) {
    if (!situation.families.includes(4) || !marksPackets(situation)) return [];
    const { readings } = situation;
    // The kernel takes all OR interface: IN_DEV_ORCONF.
    const names = ['all', ...readings.interfaces(4).filter((name) => name !== 'lo')];
    const set = names
      .map((name) => ({ name: `net/ipv4/conf/${name}/src_valid_mark`, owner: name }))
      .filter(({ name }) => readings.sysctl(name).value === 1);
    if (set.length === 0) return [];
    const everywhere = set.some(({ owner }) => owner === 'all');
    return [
      problem('src-valid-mark', everywhere || situation.source !== undefined ? 'error' : 'warning', 4, {
        cause:
          `src_valid_mark is 1 (${set.map(({ owner }) => owner).join(', ')}): marked packets fail the check of their source, ` +
          'because the route for their mark is a local one, and are dropped without a trace, whatever rp_filter says. WireGuard and Tailscale set it.',
        remedy: set.map(({ name }) => `sysctl -w ${shellWord(sysctlName(name))}=0`).join(' && '),
        evidence: set.map(({ name }) => readings.sysctl(name).step),
      }),
    ];
  },
};

/** Is anything marked to be delivered here: by TPROXY, or as a reply to a spoofed connection? */
function marksPackets(situation: Situation): boolean {
  const tproxy = situation.relevant(4).some(({ action, mark }) => action.kind === 'tproxy' && mark !== 0);
  return tproxy || situation.source !== undefined || situation.unansweredSpoofs().length > 0;
}
