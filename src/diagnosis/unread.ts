/** What could not be looked at: said once, before anything is concluded from what could. */

import { isDenied, said } from '../conclusion.ts';
import type { Step } from '../verdict.ts';
import type { Check, Problem } from './finding.ts';
import { shellWord } from './shell.ts';
import type { Request, Situation } from './situation.ts';

export const unread: Check<Situation> = {
  name: 'unread',
  run(situation) {
    const { readings } = situation;
    const steps = [
      ...readings.rules.unread,
      ...situation.families.flatMap((family) => readings.routing(family).unread),
      ...situation.socketSteps.filter(({ errorName }) => errorName !== null),
    ];
    const denied = steps.filter(isDenied);
    const others = steps.filter((step) => !isDenied(step));
    return [
      ...(denied.length === 0 ? [] : [noCapability(situation, denied)]),
      ...grouped(others).map(unreadable),
    ];
  },
};

function noCapability({ request }: Situation, evidence: Step[]): Problem {
  return {
    id: 'no-capability',
    severity: 'error',
    certainty: 'unknown',
    family: null,
    cause:
      `This user may not read the host’s rules (${said(evidence[0])}), so that nothing can be said about them. It takes ` +
      'CAP_NET_ADMIN over this network namespace; setting IP_TRANSPARENT takes it as well, or CAP_NET_RAW.',
    remedy: `sudo origdst doctor${flags(request)}`,
    evidence,
  };
}

/** A tool that is missing is missed once, however often it was called. */
function grouped(steps: readonly Step[]): [Step, ...Step[]][] {
  const groups = Map.groupBy(steps, (step) => (isMissingTool(step) ? toolOf(step) : step.target));
  return [...groups.values()] as [Step, ...Step[]][];
}

function isMissingTool({ errorName, call }: Step): boolean {
  return errorName === 'ENOENT' && call === 'run';
}

function toolOf({ target }: Step): string {
  return target.split(' ')[0] ?? '';
}

function unreadable(evidence: [Step, ...Step[]]): Problem {
  const [step] = evidence;
  const tool = toolOf(step);
  const missing = isMissingTool(step);
  return {
    id: 'unreadable',
    severity: 'warning',
    certainty: 'unknown',
    family: null,
    cause: missing
      ? `There is no ${tool} on this host, so that what it would show is not known.`
      : `What is read with “${step.target}” is not known: ${step.detail || step.errorName}.`,
    remedy: missing ? `apt-get install ${PACKAGES[tool] ?? tool}` : step.target,
    evidence,
  };
}

const PACKAGES: Record<string, string> = {
  nft: 'nftables',
  ip: 'iproute2',
  'iptables-nft-save': 'iptables',
  'ip6tables-nft-save': 'iptables',
  'iptables-legacy-save': 'iptables',
  'ip6tables-legacy-save': 'iptables',
};

/** The same question, as it is asked on the command line. */
function flags({ port, source, destination, protocol, netns }: Request): string {
  const words = [
    ['port', port],
    ['source', source],
    ['destination', destination === undefined ? undefined : formatPlace(destination)],
    ['protocol', protocol === 'udp' ? protocol : undefined],
    ['netns', netns],
  ] as const;
  return words
    .flatMap(([name, value]) => (value === undefined ? [] : [` --${name} ${shellWord(String(value))}`]))
    .join('');
}

function formatPlace({ address, port }: { address: string; port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
