/**
 * The reply arrived and the socket was not told: what stood between? Follows the packet through the
 * host's own state: prerouting rules, the routing decision of the kernel itself, input rules.
 */

import { isDenied, said } from '../conclusion.ts';
import { examine } from '../diagnosis/doctor.ts';
import { localDelivery } from '../diagnosis/policy-route.ts';
import { policyRoute, socketRule, usableMark } from '../diagnosis/remedies.ts';
import { readRouting } from '../host/policy-routes.ts';
import { readRules } from '../host/rules.ts';
import { readSysctl, sysctlName } from '../host/sysctl.ts';
import type { Step } from '../verdict.ts';
import { type Explained, explained, type Facts, within } from './facts.ts';
import { type Drop, type Passage, type Passed, passHook } from './firewall.ts';
import { type IncomingRoute, routeIncoming } from './kernel-route.ts';
import type { Packet } from './packet.ts';

/** What is amiss, before it is said of which packet. */
interface Cause {
  reason: string;
  cause: string;
  remedy: string;
}

export function explainDrop(facts: Facts, reply: Packet): Explained {
  const evidence: Step[] = [];
  const found = within(facts, () => findCause(facts, reply, evidence));
  return explained(
    'dropped-here',
    found.reason,
    `The reply (${nameOf(reply)}) arrived on ${reply.interface}, and this host ${fate(facts)}: ${found.cause}`,
    found.remedy,
    evidence,
  );
}

function nameOf({ kind }: Packet): string {
  return kind === 'datagram' ? 'a datagram' : kind.toUpperCase();
}

function fate({ sighting, flow }: Facts): string {
  const out = sighting?.passedOn ?? null;
  if (out === null) return 'did not deliver it to the socket';
  return `forwarded it on ${out.interface} to the owner of ${flow.local.address}, instead of delivering it`;
}

function findCause(facts: Facts, reply: Packet, evidence: Step[]): Cause {
  const { native, flow } = facts;
  const rules = readRules(native, null);
  evidence.push(...rules.steps);
  const refused = rules.unread.find(isDenied);
  if (refused !== undefined) return unread(refused);
  const passage: Passage = {
    from: flow.peer,
    to: flow.local,
    protocol: flow.protocol,
    iif: reply.interface,
    mark: 0,
    state: 'established',
  };
  const prerouting = passHook(rules, 'prerouting', passage);
  if (prerouting.drop !== null) return firewall(prerouting.drop);
  const { mark } = prerouting.walk;
  const route = routeReply(facts, reply, mark, evidence);
  if (route.fate === 'unread') return unread(route.step);
  if (route.fate === 'local') {
    const input = passHook(rules, 'input', { ...passage, mark });
    return input.drop === null ? asDoctorSays(facts, evidence) : firewall(input.drop);
  }
  const invalid = route.fate === 'martian' ? invalidSource(facts, reply, mark, evidence) : null;
  return invalid ?? notLocal(facts, reply, prerouting, evidence) ?? undelivered(route);
}

function unread(step: Step): Cause {
  return {
    reason: 'rules-unread',
    cause: `which of its rules or routes is amiss is not known, for they could not be read (${said(step)}: ${step.detail}).`,
    remedy: isDenied(step) ? 'run the same command as root (sudo)' : step.target,
  };
}

function undelivered({ step }: IncomingRoute): Cause {
  return {
    reason: 'not-routed-here',
    cause: `asked about the reply, the kernel says “${step.detail}” (${step.target}).`,
    remedy: step.target,
  };
}

function routeReply({ flow }: Facts, reply: Packet, mark: number, evidence: Step[]): IncomingRoute {
  const route = routeIncoming(flow.peer, flow.local, flow.protocol, reply.interface, mark);
  evidence.push(route.step);
  return route;
}

function firewall({ cause, remedy }: Drop): Cause {
  return { reason: 'firewall', cause: `${cause}.`, remedy };
}

/** fib_validate_source in net/ipv4/fib_frontend.c turned the packet down. IPv6 has no such check. */
function invalidSource({ flow }: Facts, reply: Packet, mark: number, evidence: Step[]): Cause | null {
  if (flow.local.family === 6) return null;
  const read = (owner: string, name: string) => {
    const path = `net/ipv4/conf/${owner}/${name}`;
    const { value, step } = readSysctl(path);
    evidence.push(step);
    return { name: sysctlName(path), value: value ?? 0 };
  };
  const marks = ['all', reply.interface].map((owner) => read(owner, 'src_valid_mark'));
  const filters = ['all', reply.interface].map((owner) => read(owner, 'rp_filter'));
  const set = marks.filter(({ value }) => value !== 0).map(({ name }) => name);
  if (set.length > 0 && mark !== 0) {
    return {
      reason: 'src-valid-mark',
      cause:
        `with ${set.join(' and ')} set (wg-quick and Tailscale set it), the check of source addresses uses the mark too: by the ` +
        `route for mark ${mark} the target is this host itself, and its packets are dropped as martians, whatever rp_filter is.`,
      remedy: `sysctl -w ${set.map((name) => `${name}=0`).join(' ')}`,
    };
  }
  if (Math.max(...filters.map(({ value }) => value)) !== 1) return null;
  return {
    reason: 'rp-filter',
    cause:
      `rp_filter is strict there (1, the greater of all and ${reply.interface}), and this host’s own route to ${flow.peer.address} ` +
      'leads elsewhere.',
    // The greater of both counts, and 2 is loose: the interface's own setting is enough.
    remedy: `sysctl -w ${filters[1]?.name}=2`,
  };
}

/** The kernel would forward it: nothing marked it, or no policy route takes the mark. */
function notLocal(facts: Facts, reply: Packet, { walk }: Passed, evidence: Step[]): Cause | null {
  const { flow } = facts;
  const { family } = flow.local;
  const routing = readRouting(family);
  evidence.push(...routing.steps);
  if (walk.mark === 0) {
    const mark = usableMark(routing);
    const mends = [socketRule([family], flow.protocol, mark)];
    if (routeReply(facts, reply, mark, evidence).fate === 'elsewhere') {
      mends.push(policyRoute(family, mark, routing));
    }
    return {
      reason: 'no-socket-rule',
      cause:
        'no rule of the prerouting hook marks packets that belong to a transparent socket (socket transparent in nft, ' +
        `-m socket in iptables; “DIVERT”)${mends.length > 1 ? ', and no policy route would deliver them' : ''}.`,
      remedy: mends.join(' && '),
    };
  }
  const marking = walk.visits.findLast(({ rule }) => rule.actions.some(({ kind }) => kind === 'mark'));
  if (marking === undefined) return null;
  const packet = {
    family,
    protocol: flow.protocol,
    saddr: flow.peer.address,
    daddr: flow.local.address,
    sport: flow.peer.port,
    dport: flow.local.port,
    iif: reply.interface,
    mark: walk.mark,
    socket: true,
    state: 'established',
  } as const;
  const problem = localDelivery(routing, family, packet, marking.rule);
  return problem === null ? null : { reason: problem.id, cause: problem.cause, remedy: problem.remedy };
}

/** Nothing that concerns this very packet was found: what else is wrong with the host? */
function asDoctorSays({ native, flow }: Facts, evidence: Step[]): Cause {
  const { problems } = examine(native, { source: flow.local.address, protocol: flow.protocol });
  const [worst] = problems.filter(({ severity }) => severity === 'error');
  if (worst !== undefined) {
    evidence.push(...worst.evidence);
    return { reason: worst.id, cause: worst.cause, remedy: worst.remedy };
  }
  return {
    reason: 'unexplained',
    cause:
      'its rules and routes would deliver it. A filter that they do not show is left: a program on the interface (XDP, tc), ' +
      'nft’s ingress hook, a security module, or a rule that could not be decided.',
    remedy: 'nft list ruleset; ip -details link; origdst doctor',
  };
}
