/** Interfaces and their addresses, ip-address(8). Of this thread's namespace. */

import type { Family, Step } from '../verdict.ts';
import { readWith } from './run.ts';

export interface Link {
  name: string;
  up: boolean;
  /** MAC address. */
  address: string;
  /** `bridge`, `veth`, `wireguard`, …; empty for plain hardware. */
  kind: string;
  /** The bridge or bond that it is a port of. */
  master: string | null;
  addresses: { family: Family; address: string; length: number }[];
}

export interface LinkListing {
  links: Link[];
  steps: Step[];
}

interface Row {
  ifname: string;
  flags?: string[];
  address?: string;
  master?: string;
  linkinfo?: { info_kind?: string };
  addr_info?: { family: string; local: string; prefixlen: number }[];
}

export function readLinks(): LinkListing {
  const { text, step } = readWith('ip', '-j', '-d', 'address', 'show');
  const rows: Row[] = text === null || text.trim() === '' ? [] : JSON.parse(text);
  return { links: rows.filter(({ ifname }) => ifname !== undefined).map(link), steps: [step] };
}

function link(row: Row): Link {
  return {
    name: row.ifname,
    up: row.flags?.includes('UP') ?? false,
    address: row.address ?? '',
    kind: row.linkinfo?.info_kind ?? '',
    master: row.master ?? null,
    addresses: (row.addr_info ?? []).map(({ family, local, prefixlen }) => ({
      family: family === 'inet6' ? 6 : 4,
      address: local,
      length: prefixlen,
    })),
  };
}
