/** The socket was told nothing in time: what did the wire show? */

import { formatEndpoint } from '../endpoint.ts';
import { notTranslatedBack } from './assignment.ts';
import { explainDrop } from './drop.ts';
import { type Explained, explained, type Facts } from './facts.ts';
import { concludeNotSent } from './not-sent.ts';
import type { Packet } from './packet.ts';
import { unreachable } from './refusal.ts';
import { sourceRewritten } from './rewritten.ts';
import { answersOwnAddress, type WayBack, wayBack } from './route-back.ts';
import type { Flow, Sighting } from './wire.ts';

export async function concludeSilence(facts: Facts): Promise<Explained> {
  const { sighting, flow, request } = facts;
  if (sighting === null) {
    return explained(
      'unknown',
      'not-watched',
      `No answer within ${request.timeoutMs / 1000} s. Whether one reached this host is not known: watching the wire ` +
        'takes CAP_NET_RAW.',
      'run the same command as root (sudo)',
    );
  }
  if (sighting.rewritten !== null) return sourceRewritten(facts, sighting.rewritten);
  if (sighting.reply !== null && request.mechanism === 'tproxy2') {
    return notTranslatedBack(facts, sighting.reply);
  }
  if (sighting.reply !== null) return explainDrop(facts, sighting.reply);
  if (sighting.sent === null) return concludeNotSent(facts);
  if (sighting.icmp?.direction === 'in') return unreachable(facts, sighting.icmp);
  const answer = sighting.passedOn ?? sighting.icmp;
  if (answer !== null || sighting.sent.interface === 'lo') return ownTarget(flow, answer);
  return concludeNoReply(facts, sighting.sent);
}

/** The request never left this host, or an answer that never came in went out: it was made here. */
function ownTarget(flow: Flow, answer: Packet | null): Explained {
  const away = answer === null ? 'do not come in by an interface' : `are sent away, on ${answer.interface}`;
  return explained(
    'no-reply',
    'own-target',
    `${flow.peer.address} is an address of this host, so that its replies to ${flow.local.address} ${away}: nothing can ` +
      'be told from that.',
    'ip -brief address   # name a target that is not listed here',
  );
}

/** It left, and nothing came. The same target, asked from an own address, tells a silent target from a lost reply. */
async function concludeNoReply(facts: Facts, sent: Packet): Promise<Explained> {
  const { native, flow, request, sighting } = facts;
  const way = wayBack(native, flow.peer, request.netns);
  const seen = seenElsewhere(flow, sighting);
  const control =
    request.protocol === 'tcp' && seen === null
      ? await answersOwnAddress(native, flow.peer, request.netns, facts.controlPatience())
      : { answers: null, steps: [] };
  const evidence = [...way.steps, ...control.steps];
  const { address } = flow.local;
  const peer = formatEndpoint(flow.peer);
  const left = `The request left on ${sent.interface}, and no reply to ${address} reached this host.`;
  const { wanted, remedy } = mendWayBack(flow, sent, way);
  if (seen !== null) {
    const cause = `${left} ${seen}: it takes another way (asymmetric route).${wanted}`;
    return explained('no-reply', 'reply-elsewhere', cause, remedy, evidence);
  }
  if (control.answers === true) {
    const cause =
      `${left} ${peer} answers this host’s own address: the reply takes another way (asymmetric route), or a filter on ` +
      `the way drops requests from ${address} (RFC 2827).${wanted}`;
    return explained('no-reply', 'reply-elsewhere', cause, remedy, evidence);
  }
  if (control.answers === false) {
    const cause =
      `${left} ${peer} does not answer this host’s own address either: it is down, or a firewall drops the request ` +
      'there or on the way.';
    const look = `ip -${flow.peer.family} route get ${flow.peer.address}; ping -c 3 ${flow.peer.address}   # and its firewall`;
    return explained('no-reply', 'target-silent', cause, look, evidence);
  }
  const cause = `${left} The target did not answer the datagram, or its reply takes another way (asymmetric route).${wanted}`;
  return explained('no-reply', 'no-reply', cause, remedy, evidence);
}

/** Traces that the reply was on its way to someone else. */
function seenElsewhere(flow: Flow, sighting: Sighting | null): string | null {
  if (sighting?.overheard) {
    return `It was overheard on ${sighting.overheard.interface}, addressed to another machine`;
  }
  if (sighting?.owner?.kind !== 'rst') return null;
  return `The owner of ${flow.local.address} got it, for its reset came in on ${sighting.owner.interface}`;
}

/** The next hop that the reply would have had to use, and the command that makes it so. */
function mendWayBack({ local, peer }: Flow, sent: Packet, way: WayBack): { wanted: string; remedy: string } {
  const ip = `ip -${peer.family}`;
  const where =
    way.router === null ? `${peer.address}, or on its router` : `${way.router}, the router on the way`;
  if (way.nextHop === null) return { wanted: '', remedy: `${ip} route get ${local.address}   # on ${where}` };
  const prefix = `${local.address}/${local.family === 4 ? 32 : 128}`;
  return {
    wanted: ` Replies to ${local.address} must have ${way.nextHop} (this host, on ${sent.interface}) as their next hop.`,
    remedy: `${ip} route replace ${prefix} via ${way.nextHop}   # on ${where}`,
  };
}
