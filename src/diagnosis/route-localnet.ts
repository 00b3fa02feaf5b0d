/** DNAT to 127.0.0.0/8 takes route_localnet: otherwise such a packet from another host is a martian. */

import { within } from '../host/packet.ts';
import type { Check } from './finding.ts';
import { bare } from './remedies.ts';
import { problem, type Situation } from './situation.ts';

export const routeLocalnet: Check<Situation> = {
  name: 'route-localnet',
  run(situation) {
    const { readings } = situation;
    const [rule] = situation
      .relevant(4)
      .filter(
        ({ action, base, address }) =>
          action.kind === 'dnat' &&
          base.hook === 'prerouting' &&
          address !== null &&
          within(address, ['127.0.0.0/8']),
      );
    if (rule === undefined || !situation.families.includes(4)) return [];
    // The kernel takes all OR interface: IN_DEV_NET_ROUTE_LOCALNET.
    const names = ['all', ...readings.interfaces(4).filter((name) => name !== 'lo')];
    const read = names.map((name) => readings.sysctl(`net/ipv4/conf/${name}/route_localnet`));
    if (read.some(({ value }) => value === 1)) return [];
    return [
      problem('route-localnet', 'error', 4, {
        cause: `The rule “${bare(rule.rule)}” sends packets of other hosts to a loopback address, and route_localnet is 0: they are dropped.`,
        remedy: 'sysctl -w net.ipv4.conf.all.route_localnet=1',
        evidence: [...situation.ruleSteps, ...read.map(({ step }) => step)],
      }),
    ];
  },
};
