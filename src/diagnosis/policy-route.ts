/** TPROXY needs a policy route that delivers marked packets locally: Documentation/networking/tproxy.rst. */

import type { Packet } from '../host/packet.ts';
import { decide, markMatches, type PolicyRule, type Routing } from '../host/policy-routes.ts';
import type { Rule } from '../host/rule.ts';
import type { Family } from '../verdict.ts';
import type { Check, Problem } from './finding.ts';
import {
  bare,
  hex,
  localRoute,
  localTables,
  policyRoute,
  replaceRule,
  usableMark,
  withOptions,
} from './remedies.ts';
import { shellWord } from './shell.ts';
import { problem, type Situation } from './situation.ts';

export const policyRouteCheck: Check<Situation> = {
  name: 'policy-route',
  run(situation) {
    return situation.families
      .filter((family) => situation.concerns(family))
      .flatMap((family) => {
        const tproxy = situation
          .relevant(family)
          .filter(
            ({ action, reached, base }) =>
              action.kind === 'tproxy' && reached !== 'no' && base.hook === 'prerouting',
          );
        for (const { packet, mark, markKnown, rule } of tproxy) {
          const found = localDelivery(situation.routing(family), family, { ...packet, mark }, rule);
          if (found !== null) return [markKnown ? found : { ...found, severity: 'warning' as const }];
        }
        return [];
      });
  },
};

/** Why a marked packet is not delivered to this host; null when it is, or when that cannot be told. */
export function localDelivery(
  routing: Routing,
  family: Family,
  packet: Packet,
  marking: Rule,
): Problem | null {
  if (routing.unread.length > 0) return null;
  const decision = decide(routing, packet);
  if (decision === 'unknown' || decision?.route.type === 'local') return null;
  const { mark } = packet;
  const tables = localTables(routing);
  const marked = routing.rules.filter(
    (rule) => rule.mark !== null && !rule.negated && rule.action === 'lookup',
  );
  const fitting = marked.filter((rule) => markMatches(rule, mark));
  const ip = family === 6 ? 'ip -6' : 'ip';
  const say = (id: string, cause: string, remedy: string) =>
    problem(id, 'error', family, { cause, remedy, evidence: routing.steps });

  const [late] = fitting.filter(({ table }) => tables.includes(table));
  if (late !== undefined && decision !== null) {
    return say(
      'policy-rule-late',
      `The IPv${family} rule for mark ${hex(mark)} has priority ${late.priority}, and rule ${decision.rule.priority} (table ${decision.rule.table}) has a route for the packets before it: they are forwarded.`,
      `${ip} rule del ${selector(late)} && ${ip} rule add ${selector(late)} priority ${Math.max(1, decision.rule.priority - 1)}`,
    );
  }
  const [routeless] = fitting;
  // A table that delivers some destinations only: whether this one is among them is not known.
  const isPartly = fitting.some(({ table }) =>
    routing.routes.some((one) => one.table === table && one.type === 'local'),
  );
  if (packet.daddr === undefined && isPartly) return null;
  if (routeless !== undefined) {
    return say(
      'no-local-route',
      `IPv${family} packets with mark ${hex(mark)} are looked up in table ${routeless.table}, which has no route that delivers them to this host.`,
      localRoute(family, routeless.table),
    );
  }
  const [other] = marked.filter(({ table }) => tables.includes(table));
  if (mark === 0) {
    return say(
      'tproxy-without-mark',
      `The rule “${bare(marking)}” sets no mark, so that no ip rule can tell its packets from others.`,
      marking.tool === 'nft'
        ? replaceRule(
            marking,
            `${marking.text.replace(/ accept$/, '')} meta mark set ${hex(usableMark(routing))} accept`,
          )
        : replaceRule(
            marking,
            withOptions(marking, (name, value) =>
              name === '--tproxy-mark' ? hex(usableMark(routing)) : value,
            ),
          ),
    );
  }
  if (other?.mark) {
    return say(
      'policy-mark',
      `The rule “${bare(marking)}” leaves IPv${family} packets with mark ${hex(mark)}, and the ip rule looks for ${hex(other.mark.value)}/${hex(other.mark.mask)}: they are routed as if they were not marked.`,
      `${ip} rule add fwmark ${hex(mark)} lookup ${other.table}`,
    );
  }
  return say(
    'no-policy-rule',
    `No IPv${family} ip rule leads packets with mark ${hex(mark)} to a table that delivers them to this host: they are lost or forwarded.`,
    policyRoute(family, mark, routing),
  );
}

function selector({ mark, iif, table }: PolicyRule): string {
  const wanted =
    mark === null ? '' : `fwmark ${hex(mark.value)}${mark.mask === 0xffffffff ? '' : `/${hex(mark.mask)}`} `;
  return `${wanted}${iif === null ? '' : `iif ${shellWord(iif)} `}lookup ${shellWord(table)}`;
}
