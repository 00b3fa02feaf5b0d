/** Which rule of the packet filter drops a packet of the flow, and the exemption that lets it through. */

import { insertRule } from '../diagnosis/remedies.ts';
import type { Packet as PacketDescription } from '../host/packet.ts';
import type { Ruleset, RuleTool } from '../host/rule.ts';
import { type Walk, walk } from '../host/walk.ts';
import type { Endpoint, Protocol } from '../verdict.ts';

/** A packet between the spoofed address and the target, as the rules see it. */
export interface Passage {
  from: Endpoint;
  to: Endpoint;
  protocol: Protocol;
  /** Interface that it came in by; undefined for one that this host sends. */
  iif?: string;
  mark: number;
  state: PacketDescription['state'];
}

export interface Drop {
  cause: string;
  remedy: string;
}

export interface Passed {
  /** The mark that the packet has when the hook is left. */
  walk: Walk;
  drop: Drop | null;
}

export function passHook(rules: Ruleset, hook: string, passage: Passage): Passed {
  const { from, to, protocol, iif, mark, state } = passage;
  const way = walk(rules, hook, {
    family: from.family,
    protocol,
    saddr: from.address,
    daddr: to.address,
    sport: from.port,
    dport: to.port,
    iif,
    mark,
    socket: true,
    state,
  });
  return { walk: way, drop: way.dropped === null ? null : describe(hook, way, way.dropped, passage) };
}

function describe(
  hook: string,
  { mark }: Walk,
  { rule, base }: NonNullable<Walk['dropped']>,
  passage: Passage,
): Drop {
  const chain = rule?.chain ?? base.chain;
  const place = base.tool === 'nft' ? `${base.family} ${base.table} ${chain}` : `${base.table} ${chain}`;
  const cause =
    rule === null
      ? `the policy of chain ${place} (${base.tool}) drops what no rule of it accepts`
      : `a rule of chain ${place} (${base.tool}) drops it: “${rule.text}”`;
  const text = exemption(base.tool, passage, hook === 'prerouting' ? mark : 0);
  return { cause, remedy: insertRule({ ...base, chain }, text) };
}

/** A rule that accepts the packets of this passage, in the words of its tool. */
export function exemption(tool: RuleTool, passage: Passage, mark = 0): string {
  return tool === 'nft' ? nftExemption(passage, mark) : xtExemption(passage);
}

/** The mark as well: `accept` ends the chain, so that a rule behind this one no longer sets it. */
function nftExemption({ from, to, protocol, state }: Passage, mark: number): string {
  const ip = from.family === 4 ? 'ip' : 'ip6';
  const set = mark === 0 ? '' : ` meta mark set ${mark}`;
  const port = state === 'new' ? `dport ${to.port}` : `sport ${from.port}`;
  return `${ip} saddr ${from.address} ${ip} daddr ${to.address} ${protocol} ${port}${set} accept`;
}

function xtExemption({ from, to, protocol, state }: Passage): string {
  const port = state === 'new' ? `--dport ${to.port}` : `--sport ${from.port}`;
  return `-s ${from.address} -d ${to.address} -p ${protocol} ${port} -j ACCEPT`;
}
