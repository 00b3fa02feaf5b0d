/** A rule of a packet filter, in words that nft(8) and iptables(8) share. Types only. */

import type { Family } from '../verdict.ts';

export type RuleTool = 'nft' | 'iptables-legacy' | 'ip6tables-legacy' | 'iptables-nft' | 'ip6tables-nft';

/** Inclusive ranges of ports. */
export type Ranges = readonly (readonly [number, number])[];

/** What a packet must be like. `other` cannot be decided from a description of the packet. */
export type Condition =
  | { kind: 'family'; family: Family; negated: boolean }
  | { kind: 'protocol'; names: readonly string[]; negated: boolean }
  | { kind: 'dport' | 'sport'; ranges: Ranges; negated: boolean }
  | { kind: 'daddr' | 'saddr'; prefixes: readonly string[]; negated: boolean }
  | { kind: 'iif' | 'oif'; names: readonly string[]; negated: boolean }
  | { kind: 'mark'; value: number; mask: number; negated: boolean }
  | { kind: 'socket'; transparent: boolean }
  | { kind: 'state'; states: readonly string[]; negated: boolean }
  /** The user or group that the packet's socket belongs to: output hook only. */
  | { kind: 'owner'; text: string }
  | { kind: 'other'; text: string };

/** What is done to a packet, in the order of the rule. */
export type Action =
  /** null: the port stays as it is. */
  | { kind: 'redirect'; port: number | null }
  | { kind: 'dnat'; address: string | null; port: number | null }
  /** `terminal`: xt_TPROXY drops a packet without a listener, nft_tproxy lets the rule end. */
  | { kind: 'tproxy'; address: string | null; port: number | null; terminal: boolean }
  /** mark = (mark & ~clear) ^ value; null where the value comes from elsewhere (connmark, a map). */
  | { kind: 'mark'; value: number | null; clear: number }
  | { kind: 'notrack' }
  | { kind: 'zone'; zone: number | null }
  | { kind: 'jump' | 'goto'; chain: string }
  | { kind: 'accept' | 'drop' | 'return' };

export interface Rule {
  tool: RuleTool;
  /** `ip`, `ip6`, `inet`, `bridge`, … as nft names it. */
  family: string;
  table: string;
  chain: string;
  /** nft: the handle. iptables: the number within the chain, from 1. */
  handle: number;
  /** As the tool shows it, ready to be given back to it. */
  text: string;
  conditions: Condition[];
  actions: Action[];
}

/** A chain that the kernel itself enters. */
export interface BaseChain {
  tool: RuleTool;
  family: string;
  table: string;
  chain: string;
  hook: string;
  priority: number;
  type: string;
  policy: 'accept' | 'drop';
}

export interface Ruleset {
  chains: BaseChain[];
  rules: Rule[];
}

/** The families whose packets a chain of this table sees; none for `bridge`, `arp`, `netdev`. */
export function familiesOf(family: string): readonly Family[] {
  if (family === 'ip') return [4];
  if (family === 'ip6') return [6];
  return family === 'inet' ? [4, 6] : [];
}
