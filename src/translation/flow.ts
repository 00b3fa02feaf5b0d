/** A connection to ask a rule file about. */

import { readAddress } from './numbers.ts';
import { TCP, UDP } from './rule.ts';

export interface Flow {
  protocol: number;
  source: number;
  sourcePort: number;
  destination: number;
  destinationPort: number;
  /** Interfaces, and this host's own address on them: null where it was not said. */
  inDevice: string | null;
  outDevice: string | null;
  ownAddress: number | null;
}

const EXAMPLE = 'tcp 192.168.0.3:40000 193.70.192.70:110';

/** @throws {SyntaxError} unless the text is like EXAMPLE */
export function parseFlow(
  text: string,
): Pick<Flow, 'protocol' | 'source' | 'sourcePort' | 'destination' | 'destinationPort'> {
  const [protocol, from, to, ...more] = text.trim().split(/\s+/);
  if (
    (protocol !== 'tcp' && protocol !== 'udp') ||
    from === undefined ||
    to === undefined ||
    more.length > 0
  ) {
    throw new SyntaxError(`'${text}' is not PROTOCOL ADDRESS:PORT ADDRESS:PORT, e.g. '${EXAMPLE}'`);
  }
  const source = parsePlace(from);
  const destination = parsePlace(to);
  return {
    protocol: protocol === 'tcp' ? TCP : UDP,
    source: source.address,
    sourcePort: source.port,
    destination: destination.address,
    destinationPort: destination.port,
  };
}

function parsePlace(text: string): { address: number; port: number } {
  const match = /^([0-9.]+):([0-9]{1,5})$/.exec(text);
  const address = readAddress(match?.[1] ?? '');
  const port = Number(match?.[2] ?? 0);
  if (address === null || port < 1 || port > 65535) {
    throw new SyntaxError(`'${text}' is not ADDRESS:PORT with an IPv4 address: IPFIRE knows no IPv6`);
  }
  return { address, port };
}
