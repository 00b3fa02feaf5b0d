/** What an ICMP error says, in words: RFC 792, RFC 1812 section 5.2.7.1, RFC 4443 section 3. */

import type { Family } from '../verdict.ts';
import type { Packet } from './packet.ts';

const UNREACHABLE_4: Record<number, string> = {
  0: 'network unreachable',
  1: 'host unreachable',
  2: 'protocol unreachable',
  3: 'port unreachable',
  4: 'fragmentation needed',
  9: 'network administratively prohibited',
  10: 'host administratively prohibited',
  13: 'communication administratively prohibited',
};

const UNREACHABLE_6: Record<number, string> = {
  0: 'no route to destination',
  1: 'administratively prohibited',
  2: 'beyond scope of source address',
  3: 'address unreachable',
  4: 'port unreachable',
  5: 'source address failed policy',
  6: 'reject route to destination',
};

const TYPES: Record<Family, Record<number, string>> = {
  4: { 3: 'destination unreachable', 11: 'time exceeded', 12: 'parameter problem' },
  6: { 1: 'destination unreachable', 2: 'packet too big', 3: 'time exceeded', 4: 'parameter problem' },
};

export function icmpWords(icmp: NonNullable<Packet['icmp']>, family: Family): string {
  const isUnreachable = icmp.type === (family === 4 ? 3 : 1);
  const codes = family === 4 ? UNREACHABLE_4 : UNREACHABLE_6;
  const detail = isUnreachable ? codes[icmp.code] : undefined;
  return detail ?? TYPES[family][icmp.type] ?? `ICMP type ${icmp.type} code ${icmp.code}`;
}

/** The target itself says that nothing listens there. */
export function isPortUnreachable(icmp: NonNullable<Packet['icmp']>, family: Family): boolean {
  return family === 4 ? icmp.type === 3 && icmp.code === 3 : icmp.type === 1 && icmp.code === 4;
}
