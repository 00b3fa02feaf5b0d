/** Strict reverse-path filtering drops what comes in by another interface than the answer leaves by: RFC 3704. */

import { within } from '../host/packet.ts';
import { decide } from '../host/policy-routes.ts';
import { sysctlName } from '../host/sysctl.ts';
import { type Check, isExplained } from './finding.ts';
import { shellWord } from './shell.ts';
import { problem, type Situation } from './situation.ts';

const STRICT = 1;

export const rpFilter: Check<Situation> = {
  name: 'rp-filter',
  run(situation, earlier) {
    const { readings, source } = situation;
    if (!situation.families.includes(4)) return [];
    const all = readings.sysctl('net/ipv4/conf/all/rp_filter');
    // The kernel takes the greater of the two: IN_DEV_MAXCONF.
    const strict = readings
      .interfaces(4)
      .filter((name) => name !== 'lo')
      .map((name) => ({ name, reading: readings.sysctl(`net/ipv4/conf/${name}/rp_filter`) }))
      .filter(({ reading }) => Math.max(all.value ?? 0, reading.value ?? 0) === STRICT);
    const back = wayBack(situation, source);
    const affected = strict.filter(({ name }) => name !== back);
    if (affected.length === 0) return [];
    const dropped = readings.netstat.values.get('IPReversePathFilter') ?? 0;
    const home = homeLink(situation, source);
    // Bogus packets of strangers are counted as well: a count alone says something where nothing else does.
    const isHome = back !== null && affected.some(({ name }) => name === home);
    const isLeft = dropped > 0 && !isExplained(earlier);
    const route = back === null ? '' : ` The way back to ${source} is by ${back}.`;
    const names = affected.map(({ name }) => name).join(', ');
    const said =
      dropped > 0
        ? `and has dropped ${dropped} packets in this namespace: they came in by another interface than their source is routed by`
        : 'which drops packets (and ignores ARP requests) whose source is routed by another interface';
    return [
      problem('rp-filter', isHome || isLeft ? 'error' : dropped > 0 ? 'warning' : 'info', 4, {
        cause: `Reverse-path filtering is strict on ${names}, ${said}.${route}`,
        remedy: affected
          .map(({ name }) => `sysctl -w ${shellWord(sysctlName(`net/ipv4/conf/${name}/rp_filter`))}=2`)
          .join(' && '),
        evidence: [
          all.step,
          ...affected.map(({ reading }) => reading.step),
          { ...readings.netstat.step, detail: `IPReversePathFilter ${dropped}` },
        ],
      }),
    ];
  },
};

/** The interface whose own network the client is in: its packets come in there. */
function homeLink({ readings }: Situation, source: string | undefined): string | null {
  if (source === undefined) return null;
  const home = readings.links.links.find(({ addresses }) =>
    addresses.some(({ address, length }) => length < 32 && within(source, [`${address}/${length}`])),
  );
  return home?.name ?? null;
}

/** The interface that packets to the client leave by; null where it cannot be told. */
function wayBack(situation: Situation, source: string | undefined): string | null {
  if (source === undefined) return null;
  const decision = decide(situation.routing(4), {
    family: 4,
    protocol: situation.protocol,
    daddr: source,
    iif: 'lo',
    mark: 0,
    socket: false,
    state: 'new',
  });
  return decision === null || decision === 'unknown' ? null : decision.route.dev;
}
