/** Policy routing, ip-rule(8) and ip-route(8): which route a packet takes, as far as that can be told. */

import { isIP } from 'node:net';
import type { Family, Step } from '../verdict.ts';
import { type Packet, within } from './packet.ts';
import { readWith } from './run.ts';

export interface PolicyRule {
  priority: number;
  table: string;
  /** The packet's mark, masked, must be this; null: any mark. */
  mark: { value: number; mask: number } | null;
  src: string | null;
  dst: string | null;
  iif: string | null;
  oif: string | null;
  /** `not`: it takes what its selectors do not. */
  negated: boolean;
  /** A selector that is not one of these: whether it matches cannot be told. */
  other: boolean;
  /** Routes of this prefix length, and shorter ones, do not count: wg-quick(8) so skips the default route. */
  suppress: number | null;
  /** `lookup`, or `blackhole`, `prohibit`, … */
  action: string;
}

export interface Route {
  table: string;
  /** `unicast`, `local`, `broadcast`, `unreachable`, … */
  type: string;
  /** `ADDRESS/LENGTH`; `0.0.0.0/0` and `::/0` for the default. */
  prefix: string;
  length: number;
  dev: string | null;
  gateway: string | null;
  source: string | null;
}

export interface Routing {
  rules: PolicyRule[];
  routes: Route[];
  steps: Step[];
  unread: Step[];
}

/** @returns the rules and routes of this thread's namespace */
export function readRouting(family: Family): Routing {
  const rules = readWith('ip', `-${family}`, '-j', 'rule');
  const routes = readWith('ip', `-${family}`, '-j', 'route', 'show', 'table', 'all');
  const steps = [rules.step, routes.step];
  return {
    rules: rows(rules.text).map((row) => policyRule(row)),
    routes: rows(routes.text).flatMap((row) => route(row, family)),
    steps,
    unread: steps.filter(({ errorName }) => errorName !== null),
  };
}

type Row = Record<string, unknown>;

/** iproute2 prints nothing at all where there is nothing to list. */
function rows(text: string | null): Row[] {
  return text === null || text.trim() === '' ? [] : JSON.parse(text);
}

const KNOWN = new Set([
  ...['priority', 'src', 'srclen', 'dst', 'dstlen', 'fwmark', 'fwmask', 'iif', 'oif', 'table', 'action'],
  ...['protocol', 'suppress_prefixlength', 'suppress_prefixlen', 'not', 'iif_detached', 'oif_detached'],
]);

function policyRule(row: Row): PolicyRule {
  const mark = row.fwmark;
  return {
    priority: Number(row.priority ?? 0),
    table: String(row.table ?? ''),
    mark:
      mark === undefined ? null : { value: Number(mark) >>> 0, mask: Number(row.fwmask ?? 0xffffffff) >>> 0 },
    src: selector(row.src, row.srclen),
    dst: selector(row.dst, row.dstlen),
    iif: text(row.iif),
    oif: text(row.oif),
    negated: 'not' in row,
    other: Object.keys(row).some((key) => !KNOWN.has(key)),
    suppress: suppressed(row),
    action: text(row.action) ?? 'lookup',
  };
}

function suppressed(row: Row): number | null {
  const length = row.suppress_prefixlength ?? row.suppress_prefixlen;
  return length === undefined ? null : Number(length);
}

function selector(address: unknown, length: unknown): string | null {
  if (typeof address !== 'string' || address === 'all') return null;
  return length === undefined ? address : `${address}/${length}`;
}

function route(row: Row, family: Family): Route[] {
  const dst = row.dst === 'default' ? (family === 4 ? '0.0.0.0/0' : '::/0') : String(row.dst ?? '');
  const [address = '', length] = dst.split('/');
  // `ip route show table all` of one family may list the other's as well.
  if (isIP(address) !== family) return [];
  const whole = family === 4 ? 32 : 128;
  return [
    {
      table: text(row.table) ?? 'main',
      type: text(row.type) ?? 'unicast',
      prefix: length === undefined ? `${address}/${whole}` : dst,
      length: length === undefined ? whole : Number(length),
      dev: text(row.dev),
      gateway: text(row.gateway),
      source: text(row.prefsrc),
    },
  ];
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** Why a packet is routed as it is: the rule that led to the table, and the route in it. */
export interface Routed {
  rule: PolicyRule;
  route: Route;
}

/** Could not be told: a rule with a selector that is not known comes first. */
export type Decision = Routed | 'unknown' | null;

/** The route that a packet takes; null: none. A packet without `daddr` takes default routes only. */
export function decide(routing: Routing, packet: Packet): Decision {
  for (const rule of routing.rules.toSorted((a, b) => a.priority - b.priority)) {
    const answer = selects(rule, packet);
    if (answer === false || (rule.action !== 'lookup' && rule.table === '')) continue;
    const route = inTable(routing, rule.table, packet);
    if (route === null || (rule.suppress !== null && route.length <= rule.suppress)) continue;
    if (answer === 'maybe') return 'unknown';
    return { rule, route };
  }
  return null;
}

/** Does a rule take packets with this mark, as far as the mark goes? */
export function markMatches({ mark: wanted, negated }: PolicyRule, mark: number): boolean {
  return wanted === null || ((mark & wanted.mask) >>> 0 === wanted.value) !== negated;
}

function selects(rule: PolicyRule, packet: Packet): boolean | 'maybe' {
  const answer = selectors({ ...rule, negated: false }, packet);
  return rule.negated && answer !== 'maybe' ? !answer : answer;
}

function selectors(rule: PolicyRule, packet: Packet): boolean | 'maybe' {
  if (!markMatches(rule, packet.mark)) return false;
  // The routing of packets that this host sends is iif lo: ip-rule(8).
  if (rule.iif !== null && packet.iif !== undefined && rule.iif !== packet.iif) return false;
  if (rule.src !== null && packet.saddr !== undefined && !within(packet.saddr, [rule.src])) return false;
  if (rule.dst !== null && packet.daddr !== undefined && !within(packet.daddr, [rule.dst])) return false;
  const open =
    rule.other ||
    rule.oif !== null ||
    (rule.iif !== null && packet.iif === undefined) ||
    (rule.src !== null && packet.saddr === undefined) ||
    (rule.dst !== null && packet.daddr === undefined);
  return open ? 'maybe' : true;
}

/** The longest prefix of a table that covers the packet's destination. */
function inTable(routing: Routing, table: string, { daddr }: Packet): Route | null {
  const covering = routing.routes.filter(
    (route) =>
      route.table === table &&
      route.type !== 'broadcast' &&
      route.type !== 'multicast' &&
      (daddr === undefined ? route.length === 0 : within(daddr, [route.prefix])),
  );
  return covering.toSorted((a, b) => b.length - a.length)[0] ?? null;
}
