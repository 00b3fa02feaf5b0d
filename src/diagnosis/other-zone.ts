/** The connection is tracked, but in a conntrack zone that the socket option never searches. */

import { formatEndpoint } from '../endpoint.ts';
import type { Subject } from '../inquiry.ts';
import type { Native } from '../native.ts';
import type { Endpoint } from '../verdict.ts';
import type { Finding } from './finding.ts';

/** Source: getorigdst in net/netfilter/nf_conntrack_proto.c looks in nf_ct_zone_dflt only. */
export function checkOtherZone(
  native: Native,
  subject: Subject,
  peer: Endpoint,
  local: Endpoint,
): Finding | null {
  const protocol = subject.protocol === 'udp' ? 'udp' : 'tcp';
  const { steps, original, zone } = native.lookup('netfilter', {
    protocol,
    peer,
    local,
    zone: -1,
    ...(subject.netns === null ? {} : { netns: subject.netns.fd }),
  });
  if (original === null || zone === subject.zone) return null;
  return {
    reason: 'other-zone',
    cause:
      `The connection is tracked in conntrack zone ${zone}, and zone ${subject.zone} was searched: SO_ORIGINAL_DST knows no other. ` +
      `Zone ${zone} has ${formatEndpoint(original)} as its destination.`,
    remedy: `origdst lookup --peer ${formatEndpoint(peer)} --local ${formatEndpoint(local)} --protocol ${protocol} --zone ${zone}${netnsFlag(subject)}   # or take the client out of the zone: nft list ruleset | grep zone`,
    steps,
  };
}

/** A namespace without a name or process cannot be named on a command line. */
function netnsFlag({ netns }: Subject): string {
  return netns === null || netns.name.startsWith('net:') ? '' : ` --netns ${netns.name}`;
}
