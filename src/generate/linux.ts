/** Working sets for Linux: netfilter (REDIRECT, DNAT) and TPROXY, for nft and for both iptables. */

import { ExitCode, Failure } from '../exit-codes.ts';
import { MARK, TABLE } from '../lab/rules.ts';
import type { Family } from '../verdict.ts';
import { feed, formatTarget, type Scenario, type WorkingSet } from './scenario.ts';

/** Reads a kernel parameter as it is now; null where it cannot be read. */
export type ReadSysctl = (name: string) => string | null;

export function linuxSet(scenario: Scenario, sysctl: ReadSysctl): WorkingSet {
  const set: WorkingSet = { os: 'linux', apply: [], undo: [], notes: [] };
  if (scenario.mechanism === 'tproxy4') routes(scenario, set, sysctl);
  else loopback(scenario, set, sysctl);
  for (const family of scenario.families) {
    if (scenario.tool === 'nft') nftRules(scenario, family, set);
    else iptablesRules(scenario, family, set);
  }
  set.notes.push(
    scenario.mechanism === 'tproxy4'
      ? 'The proxy sets IP_TRANSPARENT (or IPV6_TRANSPARENT) on its socket before it binds, which takes CAP_NET_ADMIN or CAP_NET_RAW; getsockname() is the original destination.'
      : 'The proxy asks getsockopt(SO_ORIGINAL_DST) for the original destination (IP6T_SO_ORIGINAL_DST for IPv6).',
    'What is not intercepted is forwarded only where net.ipv4.ip_forward and net.ipv6.conf.all.forwarding are 1.',
  );
  if (scenario.mechanism === 'netfilter' && scenario.to.address === null) {
    set.notes.push(
      'The proxy listens on the address of the interface that the clients come in by, or on all.',
    );
  }
  return set;
}

/** Documentation/networking/tproxy.rst: marked packets are delivered locally, whatever their address. */
function routes({ families, interface: device }: Scenario, set: WorkingSet, sysctl: ReadSysctl): void {
  for (const family of families) {
    const ip = family === 4 ? 'ip' : 'ip -6';
    const rule = `fwmark ${MARK} lookup ${TABLE}`;
    const route = `local default dev lo table ${TABLE}`;
    set.apply.push(`${ip} rule add ${rule}`, `${ip} route add ${route}`);
    set.undo.unshift(`${ip} rule del ${rule}`, `${ip} route del ${route}`);
  }
  if (!families.includes(4)) return;
  // With it the mark of a packet goes into its reverse path check, and the local route is no way back.
  for (const scope of ['all', ...(device === null ? [] : [device])]) {
    parameter(`net.ipv4.conf.${slashed(scope)}.src_valid_mark`, '0', set, sysctl);
  }
}

/** A packet from outside may go to 127.0.0.0/8 only where the interface says so. */
function loopback({ to, interface: device }: Scenario, set: WorkingSet, sysctl: ReadSysctl): void {
  if (to.address === '::1') {
    const cause =
      'an IPv6 packet from outside cannot be redirected to ::1: let the proxy listen on an address of this host';
    throw new Failure(ExitCode.usage, cause);
  }
  if (!to.address?.startsWith('127.')) return;
  parameter(`net.ipv4.conf.${slashed(device ?? 'all')}.route_localnet`, '1', set, sysctl);
}

/** sysctl(8): a dot in a name is written as a slash. */
function slashed(device: string): string {
  return device.replaceAll('.', '/');
}

function parameter(name: string, value: string, set: WorkingSet, sysctl: ReadSysctl): void {
  const now = sysctl(name);
  if (now === value) return;
  set.apply.push(`sysctl -w ${name}=${value}`);
  if (now !== null) set.undo.push(`sysctl -w ${name}=${now}`);
  else set.notes.push(`What ${name} was before could not be read: write it down.`);
}

function nftRules(
  { mechanism, protocol, ports, to, interface: device }: Scenario,
  family: Family,
  set: WorkingSet,
): void {
  const table = `${family === 4 ? 'ip' : 'ip6'} origdst_generated`;
  const from = device === null ? '' : `iifname "${device}" `;
  const list = ports.length === 1 ? `${ports[0]}` : `{ ${ports.join(', ')} }`;
  const match = `${from}${protocol} dport ${list} counter`;
  const chain = {
    netfilter: 'type nat hook prerouting priority -100',
    tproxy4: 'type filter hook prerouting priority -150',
  };
  const rules =
    mechanism === 'tproxy4'
      ? [
          `meta l4proto ${protocol} socket transparent 1 counter meta mark set ${MARK} accept`,
          `${match} tproxy to ${formatTarget(to)} meta mark set ${MARK} accept`,
        ]
      : [to.address === null ? `${match} redirect to :${to.port}` : `${match} dnat to ${formatTarget(to)}`];
  set.apply.push(
    feed('nft -f -', [
      `table ${table} {`,
      '  chain prerouting {',
      `    ${chain[mechanism === 'tproxy4' ? 'tproxy4' : 'netfilter']}; policy accept;`,
      ...rules.map((rule) => `    ${rule}`),
      '  }',
      '}',
    ]),
  );
  set.undo.unshift(`nft delete table ${table}`);
}

/** Chains of our own, so that they can be taken away without a look at what else there is. */
function iptablesRules(
  { mechanism, protocol, ports, to, interface: device }: Scenario,
  family: Family,
  set: WorkingSet,
): void {
  const command = `${family === 4 ? 'iptables' : 'ip6tables'} -w`;
  const table = mechanism === 'tproxy4' ? '-t mangle' : '-t nat';
  const chain = 'ORIGDST-GENERATED';
  const from = device === null ? '' : `-i ${device} `;
  const mark = `${MARK}/${MARK}`;
  const own: string[] = [];
  if (mechanism === 'tproxy4') {
    const divert = `-p ${protocol} -m socket --transparent -j`;
    own.push(`${divert} MARK --set-xmark ${mark}`, `${divert} ACCEPT`);
  }
  for (const port of ports) {
    const match = `${from}-p ${protocol} --dport ${port} -j`;
    if (mechanism === 'tproxy4') {
      const on = to.address === null ? '' : `--on-ip ${to.address} `;
      own.push(`${match} TPROXY ${on}--on-port ${to.port} --tproxy-mark ${mark}`);
    } else if (to.address === null) own.push(`${match} REDIRECT --to-ports ${to.port}`);
    else own.push(`${match} DNAT --to-destination ${formatTarget(to)}`);
  }
  set.apply.push(
    `${command} ${table} -N ${chain}`,
    ...own.map((rule) => `${command} ${table} -A ${chain} ${rule}`),
    `${command} ${table} -A PREROUTING -j ${chain}`,
  );
  set.undo.unshift(
    `${command} ${table} -D PREROUTING -j ${chain}`,
    `${command} ${table} -F ${chain}`,
    `${command} ${table} -X ${chain}`,
  );
}
