/** The server's answers to a spoofed connection go to the client by another way than through this host. */

import { decide, type Routed } from '../host/policy-routes.ts';
import { walk } from '../host/walk.ts';
import { type Check, isExplained, type Problem } from './finding.ts';
import { problem, type Situation } from './situation.ts';
import { kept, reply, type Spoof, spoofs } from './spoofed-reply.ts';

export const replyBypass: Check<Situation> = {
  name: 'reply-bypass',
  run(situation, earlier) {
    if (situation.readings.rules.unread.length > 0) return [];
    return spoofs(situation).flatMap((spoof) => bypass(situation, spoof, isExplained(earlier)));
  },
};

function bypass(situation: Situation, spoof: Spoof, explained: boolean): Problem[] {
  const { source, destination, family } = spoof;
  if (destination === undefined) return [];
  const onward = routeTo(situation, spoof, destination.address);
  const back = routeTo(situation, spoof, source);
  if (onward === null) return [];
  const shared =
    back !== null && back.route.dev === onward.route.dev && back.route.gateway === onward.route.gateway;
  if (!shared && (explained || !spoof.waiting || kept(situation, spoof) !== null)) return [];
  const dropped = walk(situation.readings.rules, 'input', reply(situation, spoof)).dropped;
  if (!shared && dropped !== null) return [];
  const own = onward.route.source ?? situation.addressOf(onward.route.dev, family) ?? 'THIS-HOST';
  const router = onward.route.gateway;
  const reason = shared
    ? `${source} and ${destination.address} are both reached by ${onward.route.dev}, so that the answers go from one to the other without passing through this host`
    : `A connection from ${source} to ${destination.address} waits for its answer, and nothing on this host would keep it: the answer does not come back through this host, or the server does not answer`;
  return [
    problem('reply-bypass', spoof.waiting || shared ? 'error' : 'warning', family, {
      cause: `${reason}. The way back must lead through ${own}.`,
      remedy: `ip ${family === 6 ? '-6 ' : ''}route replace ${source} via ${own}   # on ${destination.address}${router === null ? '' : `, or on its router ${router}`}`,
      evidence: [...situation.routing(family).steps, ...situation.socketSteps],
    }),
  ];
}

/** The route of a packet that this host sends. */
function routeTo(situation: Situation, { family }: Spoof, daddr: string): Routed | null {
  const decision = decide(situation.routing(family), {
    family,
    protocol: situation.protocol,
    daddr,
    iif: 'lo',
    mark: 0,
    socket: false,
    state: 'new',
  });
  return decision === 'unknown' ? null : decision;
}
