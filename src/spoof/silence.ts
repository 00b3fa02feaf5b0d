/** The socket was told nothing in time: what did the wire show? */

import { formatEndpoint } from '../endpoint.ts';
import { explainDrop } from './drop.ts';
import { type Explained, explained, type Facts } from './facts.ts';
import { concludeNotSent } from './not-sent.ts';
import type { Packet } from './packet.ts';
import { unreachable } from './refusal.ts';
import { answersOwnAddress, wayBack } from './route-back.ts';
import type { Flow } from './wire.ts';

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
  if (sighting.rewritten !== null) return sourceRewritten(flow, sighting.rewritten);
  if (sighting.reply !== null) return explainDrop(facts, sighting.reply);
  if (sighting.sent === null) return concludeNotSent(facts);
  if (sighting.icmp?.direction === 'in') return unreachable(facts, sighting.icmp);
  const own = sighting.passedOn ?? sighting.icmp;
  return own === null ? concludeNoReply(facts, sighting.sent) : answeredHere(flow, own);
}

/** Seen on the wire with another source address, whether it was answered or not. */
export function sourceRewritten(flow: Flow, packet: Packet): Explained {
  return explained(
    'rewritten',
    'source-rewritten',
    `The target does not see ${flow.local.address}: a NAT rule of this host (masquerade or SNAT) rewrites the source to ` +
      `${packet.from.address}, seen on ${packet.interface}.`,
    'nft list ruleset; iptables-save -t nat   # exempt locally made connections in the postrouting hook',
  );
}

/** An answer that never came in went out: it was made on this host. */
function answeredHere(flow: Flow, answer: Packet): Explained {
  return explained(
    'no-reply',
    'own-target',
    `${flow.peer.address} is an address of this host: its replies to ${flow.local.address} are not received but sent away, ` +
      `on ${answer.interface}.`,
    'origdst spoof-connect --source ADDRESS TARGET:PORT   # with a target on another machine',
  );
}

/** It left, and nothing came. The same target, asked from an own address, tells a silent target from a lost reply. */
async function concludeNoReply(facts: Facts, sent: Packet): Promise<Explained> {
  const { native, flow, request, sighting } = facts;
  const way = wayBack(native, flow.peer, request.netns);
  const control =
    request.protocol === 'tcp'
      ? await answersOwnAddress(native, flow.peer, request.netns, facts.controlPatience())
      : { answers: null, steps: [] };
  const evidence = [...way.steps, ...control.steps];
  const { address } = flow.local;
  const ip = `ip -${flow.peer.family}`;
  const length = flow.local.family === 4 ? 32 : 128;
  const mender = way.router ?? flow.peer.address;
  const overheard = sighting?.overheard
    ? ` It was overheard on ${sighting.overheard.interface}, on its way to another machine.`
    : '';
  const left = `The request left on ${sent.interface}, and no reply to ${address} reached this host.${overheard}`;
  const wanted =
    way.nextHop === null
      ? ''
      : ` Replies to ${address} must have ${way.nextHop} (this host, on ${sent.interface}) as their next hop.`;
  const remedy =
    way.nextHop === null
      ? `${ip} route get ${address}   # on ${mender}`
      : `${ip} route replace ${address}/${length} via ${way.nextHop}   # on ${mender}${way.router === null ? ', or on its router' : ', the router on the way'}`;
  if (control.answers === true || overheard !== '') {
    const answers = control.answers ? ` ${formatEndpoint(flow.peer)} answers this host’s own address:` : '';
    return explained(
      'no-reply',
      'reply-elsewhere',
      `${left}${answers} the reply takes another way (asymmetric route), or a filter on the way drops requests from ${address} (RFC 2827).${wanted}`,
      remedy,
      evidence,
    );
  }
  if (control.answers === false) {
    return explained(
      'no-reply',
      'target-silent',
      `${left} ${formatEndpoint(flow.peer)} does not answer this host’s own address either: it is down, or a firewall ` +
        'drops the request there or on the way.',
      `${ip} route get ${flow.peer.address}; ping -c 3 ${flow.peer.address}   # and the firewall of ${flow.peer.address}`,
      evidence,
    );
  }
  return explained(
    'no-reply',
    'no-reply',
    `${left} The target did not answer the datagram, or its reply takes another way (asymmetric route).${wanted}`,
    remedy,
    evidence,
  );
}
