/** The proxy's own connections are redirected to the proxy. */

import { allProcesses, socketHandles } from '../host/processes.ts';
import type { HostSocket } from '../native.ts';
import type { Check, Problem } from './finding.ts';
import type { Interception } from './interceptions.ts';
import { bare, insertRule } from './remedies.ts';
import { problem, type Situation } from './situation.ts';

export const selfLoop: Check<Situation> = {
  name: 'self-loop',
  run(situation) {
    return situation.families.flatMap((family) => {
      for (const one of situation.relevant(family)) {
        // A condition that cannot be decided (an owner, an interface) may be what exempts the proxy.
        if (one.base.hook !== 'output' || one.rule.conditions.some(({ kind }) => EXEMPTING.has(kind)))
          continue;
        if (one.reached === 'no' || one.port === null || isExempted(situation, one)) continue;
        const listeners = situation.listeners(one.port);
        const [listener] = listeners;
        if (listener !== undefined) return [loop(situation, one, listener)];
      }
      return [];
    });
  },
};

const EXEMPTING = new Set(['owner', 'mark', 'oif', 'other', 'saddr']);

/** An earlier rule of the chain may let the proxy's own packets go. */
function isExempted({ readings }: Situation, { rule, base }: Interception): boolean {
  const own = readings.rules.rules.filter(
    ({ tool, family, table, chain }) =>
      tool === rule.tool && family === rule.family && table === rule.table && chain === base.chain,
  );
  return own
    .slice(0, own.indexOf(rule))
    .some(
      ({ conditions, actions }) =>
        conditions.some(({ kind }) => EXEMPTING.has(kind)) &&
        actions.some(({ kind }) => kind === 'accept' || kind === 'return'),
    );
}

function loop(
  situation: Situation,
  { rule, family, base, packet }: Interception,
  listener: HostSocket,
): Problem {
  const proven = hasLooped(situation, listener);
  const { uid } = listener;
  const exempt = rule.tool === 'nft' ? `meta skuid ${uid} return` : `-m owner --uid-owner ${uid} -j RETURN`;
  const note =
    uid === 0 ? '   # root’s; better: let the proxy run as a user of its own, and exempt that one' : '';
  return problem('self-loop', proven ? 'error' : 'warning', family, {
    cause: proven
      ? `The proxy on port ${listener.local.port} is connected to itself: its own connections to port ${packet.dport ?? 'N'} are redirected to it by “${bare(rule)}”.`
      : `“${bare(rule)}” also takes what the proxy on port ${listener.local.port} itself sends to port ${packet.dport ?? 'N'}: if it connects to the original destination, it reaches itself, without end.`,
    remedy: `${insertRule({ ...rule, chain: base.chain }, exempt)}${note}`,
    evidence: [...situation.ruleSteps, ...situation.socketSteps],
  });
}

/** Is the other end of an accepted connection a socket of the same process? */
function hasLooped(situation: Situation, listener: HostSocket): boolean {
  const { sockets } = situation.readings.sockets('tcp');
  const ends = sockets.filter(({ local, peer }) => local.port === listener.local.port && peer.port !== 0);
  const others = ends.flatMap(({ peer }) =>
    sockets.filter(({ local }) => local.port === peer.port && local.address === peer.address),
  );
  if (others.length === 0) return false;
  const { handles } = socketHandles(allProcesses());
  const holders = new Set(handles.filter(({ inode }) => inode === listener.inode).map(({ pid }) => pid));
  const inodes = new Set(others.map(({ inode }) => inode));
  return handles.some(({ inode, pid }) => inodes.has(inode) && holders.has(pid));
}
