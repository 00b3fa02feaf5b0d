/** A rule sends connections to a listener that is not there, cannot take them, or is bound elsewhere. */

import { within } from '../host/packet.ts';
import type { HostSocket } from '../native.ts';
import type { Family } from '../verdict.ts';
import type { Check, Problem } from './finding.ts';
import type { Interception } from './interceptions.ts';
import { elsewhere, listensIn } from './namespaces.ts';
import {
  bare,
  deleteRules,
  guardedLoopback,
  redirectRule,
  replaceRule,
  withAddress,
  withTarget,
} from './remedies.ts';
import { problem, type Situation } from './situation.ts';

const LOOPBACK = ['127.0.0.0/8', '::1'];
const ANY = ['0.0.0.0', '::'];

export const listener: Check<Situation> = {
  name: 'listener',
  run(situation) {
    const found: Problem[] = [];
    for (const family of situation.families.filter((one) => situation.concerns(one))) {
      for (const one of situation.relevant(family)) {
        const problem =
          one.port === null || one.reached === 'no' ? null : examineOne(situation, one, one.port);
        // A listener that is not there is missed once, and not by each rule and family.
        if (
          problem !== null &&
          !found.some(({ id, remedy }) => id === problem.id && remedy === problem.remedy)
        ) {
          found.push(problem);
        }
      }
    }
    return found;
  },
};

function examineOne(situation: Situation, one: Interception, port: number): Problem | null {
  const { family, action, base } = one;
  const all = situation.listeners(port);
  if (all.length === 0) return noListener(situation, one, port);
  const speaking = all.filter(({ local }) => local.family === family || local.address === '::');
  if (speaking.length === 0) return oneFamily(situation, one, port, all);
  const reachable = speaking.filter(({ local }) => isReached(one, local.address));
  if (reachable.length === 0) return boundElsewhere(situation, one, port, speaking);
  if (
    action.kind === 'tproxy' &&
    base.hook === 'prerouting' &&
    !reachable.some(({ transparent }) => transparent)
  ) {
    return notTransparent(situation, one, port);
  }
  return null;
}

/** Does a listener bound to this address get what the rule sends? */
function isReached({ action, address, base }: Interception, bound: string): boolean {
  if (ANY.includes(bound)) return true;
  if (address !== null) return bound === address;
  // REDIRECT sends to the address of the interface that a packet came in by, and local ones to loopback:
  // net/netfilter/nf_nat_redirect.c. A TPROXY rule without an address does the same: nf_tproxy_laddr4.
  if (base.hook === 'output' && action.kind === 'redirect') return within(bound, LOOPBACK);
  return !within(bound, LOOPBACK);
}

function noListener(situation: Situation, { rule, action, family }: Interception, port: number): Problem {
  const others = action.kind === 'tproxy' ? situation.transparentListeners() : [];
  const [other] = others;
  const mechanism = action.kind === 'tproxy' ? ' --mechanism tproxy4' : '';
  const protocol = situation.protocol === 'udp' ? ' --protocol udp' : '';
  const effect =
    action.kind !== 'tproxy'
      ? 'clients are refused'
      : action.terminal
        ? 'the packets are dropped'
        : 'the packets go straight to their destination';
  const there = elsewhere((namespace) => (listensIn(situation, namespace, port) ? namespace.name : null));
  const hint = there === null ? '' : ` Namespace ${there} has one, which rules of this one do not reach.`;
  return problem('no-listener', 'error', family, {
    cause: `Nothing listens on ${situation.protocol.toUpperCase()} port ${port}, where the rule “${bare(rule)}” sends connections: ${effect}.${hint}`,
    remedy:
      other !== undefined && situation.port === undefined
        ? replaceRule(rule, withTarget(rule, other.local.port))
        : `origdst listen-test --port ${port}${mechanism}${protocol}   # or start the proxy on port ${port}`,
    evidence: [...situation.ruleSteps, ...situation.socketSteps],
  });
}

function oneFamily(
  situation: Situation,
  { rule, family }: Interception,
  port: number,
  all: readonly HostSocket[],
): Problem {
  const bound = all.map(({ local }) => local.address).join(', ');
  return problem('listener-one-family', situation.families.length === 1 ? 'error' : 'warning', family, {
    cause: `The rule “${bare(rule)}” also takes IPv${family} connections, and on port ${port} only IPv${family === 4 ? 6 : 4} is listened for (${bound}).`,
    remedy: `origdst listen-test --port ${port} --address ${family === 4 ? '0.0.0.0' : '::'}   # or let the proxy listen on ${family === 4 ? '0.0.0.0' : '[::]'}:${port} as well`,
    evidence: [...situation.ruleSteps, ...situation.socketSteps],
  });
}

/** Listening, but on addresses that the rule does not send to. */
function boundElsewhere(
  situation: Situation,
  one: Interception,
  port: number,
  speaking: readonly HostSocket[],
): Problem {
  const { rule, action, family, address } = one;
  const bound = [...new Set(speaking.map(({ local }) => local.address))];
  const [first = ''] = bound;
  const loopback = bound.every((own) => within(own, LOOPBACK));
  const sends = address ?? 'the address of the interface that they came in by';
  const exposed = family === 4 ? '0.0.0.0' : '[::]';
  const service = one.packet.dport ?? situation.service ?? 80;
  let remedy = replaceRule(rule, withAddress(rule, family, first, port));
  if (action.kind === 'redirect' && loopback && family === 4) {
    remedy = `${guardedLoopback(rule, situation.protocol, service, port, first)}   # or let the proxy listen on ${exposed}:${port}`;
  }
  return problem(loopback ? 'listener-loopback-only' : 'listener-other-address', 'error', family, {
    cause: `The listener on port ${port} is bound to ${bound.join(', ')}, and the rule “${bare(rule)}” sends connections to ${sends}: they do not reach it.`,
    remedy,
    evidence: [...situation.ruleSteps, ...situation.socketSteps],
  });
}

function notTransparent(
  situation: Situation,
  { rule, action, packet, family }: Interception,
  port: number,
): Problem {
  const families: Family[] = situation.families.filter((one) =>
    situation.relevant(one).some((other) => other.rule === rule),
  );
  const effect =
    action.kind === 'tproxy' && action.terminal
      ? 'the packets are dropped'
      : 'the packets go straight to their destination';
  const redirect = redirectRule({
    families: families.length === 0 ? [family] : families,
    protocol: situation.protocol,
    service: packet.dport ?? situation.service ?? 80,
    port,
  });
  return problem('listener-not-transparent', 'error', family, {
    cause: `The listener on port ${port} has no IP_TRANSPARENT, and TPROXY (“${bare(rule)}”) hands packets to transparent listeners only: ${effect}.`,
    remedy: `${dropRules(situation, port, families)} && ${redirect}   # redirects instead; or start the proxy in its TPROXY mode (Squid: http_port ${port} tproxy)`,
    evidence: [...situation.ruleSteps, ...situation.socketSteps],
  });
}

function dropRules(situation: Situation, port: number, families: readonly Family[]): string {
  const all = families.flatMap((family) => situation.relevant(family));
  return deleteRules(
    all.filter((one) => one.port === port && one.action.kind === 'tproxy').map(({ rule }) => rule),
  );
}
