/** Bridged frames pass the rules of IP only where br_netfilter sends them there: ebtables-nft(8), ip-sysctl.rst. */

import type { Link } from '../host/links.ts';
import { decide } from '../host/policy-routes.ts';
import type { Family } from '../verdict.ts';
import type { Check, Problem, Severity } from './finding.ts';
import type { Interception } from './interceptions.ts';
import { problem, type Situation } from './situation.ts';

export const bridge: Check<Situation> = {
  name: 'bridge',
  run(situation) {
    const { links } = situation.readings.links;
    const bridges = links.filter(
      ({ kind, name, up }) =>
        kind === 'bridge' && up && links.filter(({ master }) => master === name).length > 1,
    );
    if (bridges.length === 0) return [];
    return situation.families.flatMap((family) => {
      const [one] = situation.relevant(family).filter(({ base }) => base.hook === 'prerouting');
      if (one === undefined) return [];
      const crossed = bridges.find((link) => isCrossed(situation, family, link));
      const link = crossed ?? bridges[0];
      if (link === undefined || (crossed === undefined && isKnown(situation))) return [];
      const found = one.action.kind === 'tproxy' ? tproxyOn(situation, one, link) : natOn(situation, one);
      return found === null ? [] : [{ ...found, severity: severity(links, bridges, crossed) }];
    });
  },
};

function severity(links: readonly Link[], bridges: readonly Link[], crossed: Link | undefined): Severity {
  if (crossed !== undefined) return 'error';
  const routed = links.some(
    (link) =>
      link.name !== 'lo' && link.addresses.length > 0 && !bridges.includes(link) && link.master === null,
  );
  return routed ? 'info' : 'warning';
}

function isKnown({ source, destination }: Situation): boolean {
  return source !== undefined && destination !== undefined;
}

/** Are client and server both behind this bridge, so that it forwards their frames itself? */
function isCrossed(situation: Situation, family: Family, { name }: Link): boolean {
  const { source, destination } = situation;
  if (source === undefined || destination === undefined) return false;
  return [source, destination.address].every((daddr) => {
    const decision = decide(situation.routing(family), {
      family,
      protocol: situation.protocol,
      daddr,
      iif: 'lo',
      mark: 0,
      socket: false,
      state: 'new',
    });
    return (
      decision !== null &&
      decision !== 'unknown' &&
      decision.route.dev === name &&
      decision.route.gateway === null
    );
  });
}

function sysctlOf(family: Family): string {
  return `net/bridge/bridge-nf-call-${family === 4 ? 'iptables' : 'ip6tables'}`;
}

/** REDIRECT and DNAT see bridged frames through br_netfilter. */
function natOn(situation: Situation, { family }: Interception): Problem | null {
  const { value, step } = situation.readings.sysctl(sysctlOf(family));
  if (value === 1) return null;
  const load = value === null ? 'modprobe br_netfilter && ' : '';
  return problem('bridge-netfilter', 'error', family, {
    cause: `The connections cross a bridge of this host, and bridged frames do not pass its IPv${family} rules: ${value === null ? 'br_netfilter is not loaded' : `${sysctlOf(family).split('/').at(-1)} is 0`}.`,
    remedy: `${load}sysctl -w ${sysctlOf(family).replaceAll('/', '.')}=1`,
    evidence: [...situation.readings.links.steps, step],
  });
}

/** TPROXY needs the frame to be taken off the bridge, and br_netfilter loses the socket again in ip_rcv_core. */
function tproxyOn(
  situation: Situation,
  { family, packet }: Interception,
  { name, address }: Link,
): Problem | null {
  const { value, step } = situation.readings.sysctl(sysctlOf(family));
  const taken = situation.readings.rules.rules.some(
    (rule) => rule.family === 'bridge' && /pkttype set host|broute set 1/.test(rule.text),
  );
  if (taken && value !== 1) return null;
  const commands = [
    ...(value === 1 ? [`sysctl -w ${sysctlOf(family).replaceAll('/', '.')}=0`] : []),
    ...(taken
      ? []
      : [
          'nft ' +
            `'add table bridge origdst; add chain bridge origdst brouting { type filter hook prerouting priority -300; }; ` +
            `add rule bridge origdst brouting ${situation.protocol} dport ${packet.dport ?? 80} meta pkttype set host ether daddr set ${address}'`,
        ]),
  ];
  return problem('bridge-tproxy', 'error', family, {
    cause: taken
      ? `Frames are taken off bridge ${name}, and br_netfilter runs the IPv${family} rules too early (${sysctlOf(family).split('/').at(-1)} is 1): the socket that TPROXY chose is lost again.`
      : `The connections cross bridge ${name} of this host, and TPROXY only takes what is routed: bridged frames must be taken off the bridge first.`,
    remedy: commands.join(' && '),
    evidence: [...situation.readings.links.steps, step, ...situation.ruleSteps],
  });
}
