/** A NAT rule of this host came between: the target sees another address, or another target is asked. */

import { formatEndpoint } from '../endpoint.ts';
import type { Step } from '../verdict.ts';
import { type Explained, explained, type Facts, within } from './facts.ts';
import { destinationNat, sourceNat } from './nat.ts';
import type { Packet } from './packet.ts';

/** Seen on the wire with another source address, whether it was answered or not. */
export function sourceRewritten(facts: Facts, packet: Packet): Explained {
  const evidence: Step[] = [];
  const rule = within(facts, () => sourceNat(facts, evidence));
  return explained(
    'rewritten',
    'source-rewritten',
    `The target does not see ${facts.flow.local.address}: ${rule?.cause ?? 'a NAT rule of this host'} rewrites the source ` +
      `to ${packet.from.address}, seen on ${packet.interface}.`,
    rule?.remedy ??
      'nft list ruleset; iptables-save -t nat   # exempt this connection in the postrouting hook',
    evidence,
  );
}

/** Answered, and nothing left for the target. */
export function targetRewritten(facts: Facts): Explained {
  const evidence: Step[] = [];
  const rule = within(facts, () => destinationNat(facts, evidence));
  return explained(
    'rewritten',
    'target-rewritten',
    `It was answered, but no packet to ${formatEndpoint(facts.flow.peer)} left this host: ` +
      `${rule?.cause ?? 'a rule of its output'} redirected the request to somewhere else.`,
    rule?.remedy ?? 'nft list ruleset; iptables-save -t nat   # exempt this connection in the output hook',
    evidence,
  );
}
