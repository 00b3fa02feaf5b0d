/** Working sets for the BSDs, from their manual pages. */

import { isIP } from 'node:net';
import type { PfSystem } from '../convert/conversion.ts';
import { ExitCode, Failure } from '../exit-codes.ts';
import type { Family } from '../verdict.ts';
import { feed, type Scenario, type Target, type WorkingSet } from './scenario.ts';

const ANCHOR = 'origdst';
const IPFW_RULE = 20_000;

export function bsdSet(scenario: Scenario, pf: PfSystem): WorkingSet {
  switch (scenario.mechanism) {
    case 'pf':
      return pfSet(scenario, pf);
    case 'divert':
      return divertSet(scenario);
    case 'ipfw':
      return ipfwSet(scenario);
    case 'ipfilter':
      return ipfilterSet(scenario);
    default:
      return npfSet(scenario);
  }
}

/** pf.conf(5). OpenBSD has had rdr-to in place of rdr since 4.7. */
function pfSet(scenario: Scenario, os: PfSystem): WorkingSet {
  const rules = scenario.families.map((family) => {
    const { match, address } = pfMatch(scenario, family);
    const port = scenario.to.port;
    return os === 'openbsd'
      ? `pass in quick ${match} rdr-to ${address} port ${port}`
      : `rdr pass ${match} -> ${address} port ${port}`;
  });
  const anchor = os === 'openbsd' ? `anchor "${ANCHOR}"` : `rdr-anchor "${ANCHOR}"`;
  return {
    ...anchored(os, rules),
    notes: [
      `pf.conf must hold: ${anchor}. Without it the rules are loaded and never asked.`,
      'The proxy asks /dev/pf (DIOCNATLOOK) for the original destination: it needs to read that file.',
      ...(os === 'openbsd'
        ? ['The kernels of OpenBSD do not always answer that: prefer --mechanism divert.']
        : []),
    ],
  };
}

function divertSet(scenario: Scenario): WorkingSet {
  const rules = scenario.families.map((family) => {
    const { match, address } = pfMatch(scenario, family);
    return `pass in quick ${match} divert-to ${address} port ${scenario.to.port}`;
  });
  return {
    ...anchored('openbsd', rules),
    notes: [
      `pf.conf must hold: anchor "${ANCHOR}". Without it the rules are loaded and never asked.`,
      'The packet is not changed: getsockname() is the original destination.',
    ],
  };
}

function anchored(os: PfSystem, rules: readonly string[]): WorkingSet {
  return {
    os,
    apply: [feed(`pfctl -a ${ANCHOR} -f -`, rules)],
    undo: [`pfctl -a ${ANCHOR} -F ${os === 'openbsd' ? 'rules' : 'all'}`],
    notes: [],
  };
}

function pfMatch(
  { protocol, ports, to, interface: device }: Scenario,
  family: Family,
): { match: string; address: string } {
  const on = device === null ? '' : `on ${device} `;
  const list = ports.length === 1 ? `${ports[0]}` : `{ ${ports.join(', ')} }`;
  const match = `${on}${family === 4 ? 'inet' : 'inet6'} proto ${protocol} from any to any port ${list}`;
  return { match, address: localAddress(to, family) };
}

function ipfwSet({ protocol, ports, to, interface: device, families }: Scenario): WorkingSet {
  if (families.includes(6)) throw onlyFour('ipfw');
  const via = device === null ? '' : ` recv ${device}`;
  return {
    os: 'freebsd',
    apply: [
      `ipfw add ${IPFW_RULE} fwd ${localAddress(to, 4)},${to.port} ${protocol} from any to any ${ports.join(',')} in${via}`,
    ],
    undo: [`ipfw delete ${IPFW_RULE}`],
    notes: [
      'Where ipfw is not loaded yet: loading it blocks all traffic, unless the tunable net.inet.ip.fw.default_to_accept is 1.',
      'The packet is not changed: getsockname() is the original destination.',
    ],
  };
}

function ipfilterSet({ protocol, ports, to, interface: device, families }: Scenario): WorkingSet {
  if (families.includes(6)) throw onlyFour('ipfilter');
  const name = named(device, 'ipnat.conf(5)');
  const rules = ports.map(
    (port) => `rdr ${name} 0.0.0.0/0 port ${port} -> ${localAddress(to, 4)} port ${to.port} ${protocol}`,
  );
  return {
    os: 'freebsd',
    apply: [feed('ipnat -f -', rules)],
    undo: [feed('ipnat -r -f -', rules)],
    notes: [
      'The proxy asks /dev/ipnat for the original destination: it needs to read that file.',
      'On FreeBSD the lookup that most proxies use (SIOCGNATL) panics unpatched kernels.',
    ],
  };
}

function npfSet({ protocol, ports, to, interface: device, families }: Scenario): WorkingSet {
  if (families.includes(6)) throw onlyFour('npf');
  const name = named(device, 'npf.conf(5)');
  const maps = ports.map(
    (port) =>
      `map ${name} dynamic proto ${protocol} ${localAddress(to, 4)} port ${to.port} <- 0.0.0.0/0 port ${port}`,
  );
  const file = '/etc/npf.conf';
  const saved = `${file}.before-origdst`;
  return {
    os: 'netbsd',
    apply: [
      `cp -p ${file} ${saved}`,
      feed(`cat >> ${file}`, maps),
      `npfctl validate ${file} || { mv ${saved} ${file}; exit 1; }`,
      'npfctl reload',
    ],
    undo: [`mv ${saved} ${file}`, 'npfctl reload'],
    notes: [
      'Written from npf.conf(5), and not tried on a NetBSD.',
      'NPF has one configuration file, which is replaced as a whole. It must name every interface with a group, and pass what the map lines redirect.',
      'The proxy asks /dev/npf for the original destination, which only the super-user may.',
    ],
  };
}

/** Here an address is needed; the loopback one is this host’s on every host. */
function localAddress({ address }: Target, family: Family): string {
  if (address !== null) return address;
  return family === 4 ? '127.0.0.1' : '::1';
}

function named(device: string | null, page: string): string {
  if (device !== null) return device;
  throw new Failure(ExitCode.usage, `a rule of ${page} names an interface: give --interface`);
}

function onlyFour(mechanism: string): Failure {
  return new Failure(ExitCode.usage, `working sets for ${mechanism} are for IPv4: give --family 4`);
}

/** An address fixes the family. */
export function familyOf({ address }: Target): Family | null {
  return address === null ? null : (isIP(address) as Family);
}
