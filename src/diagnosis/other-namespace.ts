/** The translation took place in another network namespace of this host (containers, virtual routers). */

import { formatEndpoint, sameEndpoint } from '../endpoint.ts';
import { closeNamespace, listNamespaces, ownNamespace } from '../host/namespaces.ts';
import type { Subject } from '../inquiry.ts';
import type { Native } from '../native.ts';
import type { Endpoint } from '../verdict.ts';
import type { Finding } from './finding.ts';

/** Asks the conntrack table of every namespace that can be entered; one keyed request each. */
export function checkOtherNamespace(
  native: Native,
  subject: Subject,
  peer: Endpoint,
  local: Endpoint,
): Finding | null {
  const protocol = subject.protocol === 'udp' ? 'udp' : 'tcp';
  const { namespaces } = listNamespaces();
  const here = subject.netns?.inode ?? ownNamespace();
  try {
    for (const namespace of namespaces) {
      if (namespace.inode === here) continue;
      const { original, steps } = native.lookup('netfilter', { protocol, peer, local, netns: namespace.fd });
      if (original === null || sameEndpoint(original, local) || sameEndpoint(original, peer)) continue;
      const isOwn = namespace.inode === ownNamespace();
      const name = isOwn ? 'the namespace of this command' : `namespace ${namespace.name}`;
      const flag = isOwn ? '' : ` --netns ${namespace.name}`;
      return {
        reason: 'other-namespace',
        cause:
          `The address was translated in ${name}, and a socket can only ask its own: there the destination was ` +
          `${formatEndpoint(original)}.`,
        remedy: `origdst lookup --peer ${formatEndpoint(peer)} --local ${formatEndpoint(local)} --protocol ${protocol}${flag}   # or redirect inside the proxy’s own namespace`,
        steps,
      };
    }
    return null;
  } finally {
    for (const namespace of namespaces) closeNamespace(namespace);
  }
}
