/** The rules of a proof, as data, and as each of the system's tools spells them. */

import type { Endpoint, Family, Protocol } from '../verdict.ts';

/** The mark and the routing table by which intercepted packets are delivered locally. */
export const MARK = 1;
export const TABLE = 100;

/** Every rule matches one destination, but `divert`: that matches packets that a transparent socket waits for. */
export type Rule =
  | {
      kind: 'redirect';
      hook: 'prerouting' | 'output';
      protocol: Protocol;
      destination: Endpoint;
      port: number;
    }
  | { kind: 'dnat'; protocol: Protocol; destination: Endpoint; to: Endpoint }
  | { kind: 'tproxy'; protocol: Protocol; destination: Endpoint; port: number }
  | { kind: 'divert'; protocol: Protocol; family: Family };

export function familyOf(rule: Rule): Family {
  return rule.kind === 'divert' ? rule.family : rule.destination.family;
}

/** TPROXY and the socket match only mark a packet: a policy route must bring it to this host. */
export function needsPolicyRoute(rules: readonly Rule[]): boolean {
  return rules.some(({ kind }) => kind === 'tproxy' || kind === 'divert');
}

export const POLICY_ROUTE = [
  `rule add fwmark ${MARK} lookup ${TABLE}`,
  `route add local default dev lo table ${TABLE}`,
];

/** Chains with the priorities of nft(8): mangle -150, dstnat -100. Numbers, because old nft knows no names. */
const CHAINS = {
  mangle: 'type filter hook prerouting priority -150; policy accept;',
  prerouting: 'type nat hook prerouting priority -100; policy accept;',
  output: 'type nat hook output priority -100; policy accept;',
} as const;

type Chain = keyof typeof CHAINS;

function chainOf(rule: Rule): Chain {
  if (rule.kind === 'redirect') return rule.hook;
  return rule.kind === 'dnat' ? 'prerouting' : 'mangle';
}

/** A whole file for `nft -f -`. Each family has a table of its own: `inet` cannot do NAT before Linux 5.2. */
export function asNft(rules: readonly Rule[]): string[] {
  const families = [...new Set(rules.map(familyOf))];
  return families.flatMap((family) => {
    const own = rules.filter((rule) => familyOf(rule) === family);
    const chains = [...new Set(own.map(chainOf))];
    return [
      `table ${family === 4 ? 'ip' : 'ip6'} origdst {`,
      ...chains.flatMap((chain) => [
        `  chain ${chain} {`,
        `    ${CHAINS[chain]}`,
        ...own.filter((rule) => chainOf(rule) === chain).map((rule) => `    ${nftRule(rule)}`),
        '  }',
      ]),
      '}',
    ];
  });
}

function nftRule(rule: Rule): string {
  if (rule.kind === 'divert') {
    return `meta l4proto ${rule.protocol} socket transparent 1 counter meta mark set ${MARK} accept`;
  }
  const { destination, protocol } = rule;
  const match = `${destination.family === 4 ? 'ip' : 'ip6'} daddr ${destination.address} ${protocol} dport ${destination.port} counter`;
  switch (rule.kind) {
    case 'redirect':
      return `${match} redirect to :${rule.port}`;
    case 'dnat':
      return `${match} dnat to ${rule.to.family === 4 ? rule.to.address : `[${rule.to.address}]`}:${rule.to.port}`;
    case 'tproxy':
      return `${match} tproxy to :${rule.port} meta mark set ${MARK} accept`;
  }
}

/** The arguments of one call of iptables or ip6tables. */
export function asIptables(rule: Rule): string[] {
  if (rule.kind === 'divert') {
    return words(
      `-t mangle -A PREROUTING -p ${rule.protocol} -m socket --transparent -j MARK --set-mark ${MARK}`,
    );
  }
  const { destination, protocol } = rule;
  const match = `-d ${destination.address} -p ${protocol} --dport ${destination.port}`;
  switch (rule.kind) {
    case 'redirect':
      return words(`-t nat -A ${rule.hook.toUpperCase()} ${match} -j REDIRECT --to-ports ${rule.port}`);
    case 'dnat': {
      const to = rule.to.family === 4 ? rule.to.address : `[${rule.to.address}]`;
      return words(`-t nat -A PREROUTING ${match} -j DNAT --to-destination ${to}:${rule.to.port}`);
    }
    case 'tproxy':
      return words(
        `-t mangle -A PREROUTING ${match} -j TPROXY --on-port ${rule.port} --tproxy-mark ${MARK}/${MARK}`,
      );
  }
}

function words(text: string): string[] {
  return text.split(' ');
}
