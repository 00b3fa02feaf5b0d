/** Reads `nft -j list ruleset`: libnftables-json(5). What it does not know becomes `other`, never a guess. */

import type { Action, BaseChain, Condition, Ranges, Rule, Ruleset } from './rule.ts';

// biome-ignore lint/suspicious/noExplicitAny: JSON of another program, checked where it is used
type Json = any;

const ALL = 0xffffffff;

/** @param texts the rules as `nft -a list ruleset` shows them, by `ruleKey` */
export function parseNft(document: string, texts: ReadonlyMap<string, string>): Ruleset {
  const objects: Json[] = JSON.parse(document).nftables ?? [];
  const sets = new Map<string, Json>();
  for (const { set, map } of objects) {
    const one = set ?? map;
    if (one !== undefined) sets.set(`${one.family} ${one.table} ${one.name}`, one.elem ?? []);
  }
  const chains = objects.flatMap(({ chain }) => (chain?.hook === undefined ? [] : [baseChain(chain)]));
  const rules = objects.flatMap(({ rule }) => (rule === undefined ? [] : readRule(rule, texts, sets)));
  return { chains, rules };
}

export function ruleKey(family: string, table: string, chain: string, handle: number): string {
  return `${family} ${table} ${chain} ${handle}`;
}

/** The rules' own words, out of `nft -a list ruleset`. */
export function ruleTexts(listing: string): Map<string, string> {
  const texts = new Map<string, string>();
  let table = '';
  let chain = '';
  for (const line of listing.split('\n')) {
    const head = /^table (\S+) (\S+) \{/.exec(line);
    if (head !== null) table = `${head[1]} ${head[2]}`;
    const inner = /^\tchain (\S+) \{/.exec(line);
    if (inner !== null) chain = inner[1] ?? '';
    const rule = /^\t\t(.*) # handle ([0-9]+)$/.exec(line);
    if (rule !== null) texts.set(`${table} ${chain} ${rule[2]}`, rule[1] ?? '');
  }
  return texts;
}

function baseChain(chain: Json): BaseChain {
  return {
    tool: 'nft',
    family: chain.family,
    table: chain.table,
    chain: chain.name,
    hook: chain.hook,
    priority: chain.prio,
    type: chain.type,
    policy: chain.policy === 'drop' ? 'drop' : 'accept',
  };
}

/** One rule; a verdict map becomes a rule an element. */
function readRule(rule: Json, texts: ReadonlyMap<string, string>, sets: ReadonlyMap<string, Json>): Rule[] {
  const { family, table, chain, handle } = rule;
  const resolve = (value: Json): Json =>
    typeof value === 'string' && value.startsWith('@')
      ? { set: sets.get(`${family} ${table} ${value.slice(1)}`) ?? null }
      : value;
  const conditions: Condition[] = [];
  const actions: Action[] = [];
  const branches: { condition: Condition; action: Action }[] = [];
  for (const expression of rule.expr ?? []) {
    const [kind = '', body] = Object.entries<Json>(expression)[0] ?? [];
    if (kind === 'match') {
      conditions.push(...implied(body.left));
      conditions.push(condition(body.left, resolve(body.right), body.op === '!='));
    } else if (kind === 'vmap') {
      conditions.push(...implied(body.key));
      branches.push(...verdictMap(body, resolve));
    } else if (!isHarmless(kind, body)) {
      const done = action(kind, body);
      if (done === null) conditions.push({ kind: 'other', text: JSON.stringify(expression) });
      else actions.push(done);
    }
  }
  const text = texts.get(ruleKey(family, table, chain, handle)) ?? JSON.stringify(rule.expr);
  const base: Rule = { tool: 'nft', family, table, chain, handle, text, conditions, actions };
  if (branches.length === 0) return [base];
  return branches.map((branch) => ({
    ...base,
    conditions: [...conditions, branch.condition],
    actions: [...actions, branch.action],
  }));
}

/** Statements that neither choose packets nor decide their way. */
function isHarmless(kind: string, body: Json): boolean {
  if (kind === 'mangle') return body?.key?.meta?.key !== 'mark' && body?.key?.ct?.key !== 'zone';
  return kind === 'counter' || kind === 'log';
}

/** `tcp dport` is only true of TCP, `ip saddr` of IPv4; `th dport` of any transport. */
function implied(left: Json): Condition[] {
  const protocol = left?.payload?.protocol;
  if (protocol === 'tcp' || protocol === 'udp') {
    return [{ kind: 'protocol', names: [protocol], negated: false }];
  }
  if (protocol === 'ip' || protocol === 'ip6') {
    return [{ kind: 'family', family: protocol === 'ip' ? 4 : 6, negated: false }];
  }
  return [];
}

function verdictMap(body: Json, resolve: (value: Json) => Json) {
  const elements: Json[] = resolve(body.data)?.set ?? [];
  return elements.flatMap(([key, verdict]) => {
    const [kind = '', target] = Object.entries<Json>(verdict ?? {})[0] ?? [];
    const done = action(kind, target);
    const only = typeof key === 'object' && 'range' in key ? { range: key.range } : key;
    return done === null ? [] : [{ condition: condition(body.key, only, false), action: done }];
  });
}

function action(kind: string, body: Json): Action | null {
  switch (kind) {
    case 'redirect':
      return { kind, port: number(body?.port) };
    case 'dnat':
      return { kind, address: word(body?.addr), port: number(body?.port) };
    case 'tproxy':
      return { kind, address: word(body?.addr), port: number(body?.port), terminal: false };
    case 'mangle':
      return mangle(body);
    case 'notrack':
      return { kind };
    case 'jump':
    case 'goto':
      return { kind, chain: body.target };
    case 'accept':
    case 'return':
    case 'drop':
      return { kind };
    case 'reject':
      return { kind: 'drop' };
    default:
      return null;
  }
}

/** `meta mark set V`, `meta mark set mark or V`, `mark and M or V`; `ct zone set Z`. */
function mangle({ key, value }: Json): Action {
  if (key?.ct?.key === 'zone') return { kind: 'zone', zone: number(value) };
  if (typeof value === 'number') return { kind: 'mark', value, clear: ALL };
  const [low, high] = value?.['|'] ?? [];
  if (typeof high === 'number' && isMark(low)) return { kind: 'mark', value: high, clear: high };
  const [own, kept] = (low ?? value)?.['&'] ?? [];
  if (isMark(own) && typeof kept === 'number' && (low === undefined || typeof high === 'number')) {
    const set = low === undefined ? 0 : high;
    return { kind: 'mark', value: set, clear: ((~kept >>> 0) | set) >>> 0 };
  }
  return { kind: 'mark', value: null, clear: ALL };
}

function isMark(left: Json): boolean {
  return left?.meta?.key === 'mark';
}

function condition(left: Json, right: Json, negated: boolean): Condition {
  const field = left?.payload?.field;
  const protocol = left?.payload?.protocol;
  const meta = left?.meta?.key;
  const other: Condition = { kind: 'other', text: JSON.stringify({ left, right }) };
  if (field === 'dport' || field === 'sport') {
    const ranges = portRanges(right);
    return ranges === null ? other : { kind: field, ranges, negated };
  }
  if ((protocol === 'ip' || protocol === 'ip6') && (field === 'saddr' || field === 'daddr')) {
    const prefixes = list(right).map(prefix);
    return prefixes.includes(null) ? other : { kind: field, prefixes: prefixes as string[], negated };
  }
  if (meta === 'l4proto' || (field === 'protocol' && protocol === 'ip') || field === 'nexthdr') {
    return { kind: 'protocol', names: list(right).map(String), negated };
  }
  if (meta === 'nfproto') return { kind: 'family', family: right === 'ipv6' ? 6 : 4, negated };
  if (meta === 'iifname' || meta === 'iif') return { kind: 'iif', names: list(right).map(String), negated };
  if (meta === 'oifname' || meta === 'oif') return { kind: 'oif', names: list(right).map(String), negated };
  if (meta === 'skuid' || meta === 'skgid' || meta === 'cgroup')
    return { kind: 'owner', text: `${meta} ${right}` };
  if (left?.socket?.key === 'transparent') return { kind: 'socket', transparent: right === 1 };
  if (left?.ct?.key === 'state') return { kind: 'state', states: list(right).map(String), negated };
  return mark(left, right, negated) ?? other;
}

function mark(left: Json, right: Json, negated: boolean): Condition | null {
  if (typeof right !== 'number') return null;
  if (isMark(left)) return { kind: 'mark', value: right, mask: ALL, negated };
  const [own, mask] = left?.['&'] ?? [];
  return isMark(own) && typeof mask === 'number' ? { kind: 'mark', value: right, mask, negated } : null;
}

function list(right: Json): Json[] {
  if (Array.isArray(right)) return right;
  return Array.isArray(right?.set) ? right.set.map((one: Json) => one?.elem?.val ?? one) : [right];
}

function portRanges(right: Json): Ranges | null {
  const ranges = list(right).map((one): readonly [number, number] | null => {
    if (typeof one === 'number') return [one, one];
    const [from, to] = one?.range ?? [];
    return typeof from === 'number' && typeof to === 'number' ? [from, to] : null;
  });
  return ranges.includes(null) ? null : (ranges as Ranges);
}

function prefix(one: Json): string | null {
  if (typeof one === 'string' && !one.startsWith('@')) return one;
  return one?.prefix === undefined ? null : `${one.prefix.addr}/${one.prefix.len}`;
}

function number(value: Json): number | null {
  return typeof value === 'number' ? value : null;
}

function word(value: Json): string | null {
  return typeof value === 'string' ? value : null;
}
