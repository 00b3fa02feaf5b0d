/** A filter rule or policy drops what was intercepted, before the listener sees it. */

import type { Packet } from '../host/packet.ts';
import { type Walk, walk } from '../host/walk.ts';
import type { Check, Problem } from './finding.ts';
import type { Interception } from './interceptions.ts';
import { bare, insertRule } from './remedies.ts';
import { problem, type Situation } from './situation.ts';

export const firewall: Check<Situation> = {
  name: 'firewall',
  run(situation) {
    return situation.families.flatMap((family) => {
      for (const one of situation.relevant(family)) {
        if (one.base.hook !== 'prerouting' || one.reached === 'no') continue;
        const packet = delivered(one);
        const { dropped } = walk(situation.readings.rules, 'input', packet);
        if (dropped !== null) return [drops(situation, one, packet, dropped)];
      }
      return [];
    });
  },
};

/** The packet as the input hook sees it: rewritten by NAT, untouched and marked by TPROXY. */
function delivered({ packet, action, port, mark, address }: Interception): Packet {
  if (action.kind === 'tproxy') return { ...packet, mark };
  return { ...packet, mark, dport: port ?? undefined, daddr: address ?? undefined };
}

function drops(
  situation: Situation,
  { family }: Interception,
  packet: Packet,
  { rule, base }: NonNullable<Walk['dropped']>,
): Problem {
  const { protocol } = situation;
  const accept =
    base.tool === 'nft'
      ? `${protocol} dport ${packet.dport} accept`
      : `-p ${protocol} --dport ${packet.dport} -j ACCEPT`;
  const what = rule === null ? `the policy of chain ${base.table} ${base.chain}` : `the rule “${bare(rule)}”`;
  return problem('firewall', 'error', family, {
    cause: `What is intercepted comes to this host’s input hook with port ${packet.dport}, and ${what} (${base.tool}) drops it there.`,
    remedy: packet.dport === undefined ? `${base.tool} -S` : insertRule(base, accept),
    evidence: situation.ruleSteps,
  });
}
