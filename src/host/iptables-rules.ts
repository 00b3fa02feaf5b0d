/** Reads what iptables-save(8) prints: iptables-extensions(8). What it does not know becomes `other`. */

import type { Family } from '../verdict.ts';
import type { Action, BaseChain, Condition, Ranges, Rule, Ruleset, RuleTool } from './rule.ts';

/** include/uapi/linux/netfilter_ipv4.h: where in a hook the tables of x_tables stand. */
const PRIORITIES: Record<string, number> = { raw: -300, mangle: -150, nat: -100, filter: 0, security: 50 };
/** Source NAT stands behind the filter. */
const NAT_SOURCE = 100;
const ALL = 0xffffffff;

export function parseIptables(tool: RuleTool, listing: string): Ruleset {
  const family: Family = tool.startsWith('ip6') ? 6 : 4;
  const chains: BaseChain[] = [];
  const rules: Rule[] = [];
  const counts = new Map<string, number>();
  let table = '';
  for (const line of listing.split('\n')) {
    const name = /^\*(\S+)/.exec(line);
    if (name !== null) {
      table = name[1] ?? '';
      counts.clear();
    }
    const chain = /^:(\S+) (ACCEPT|DROP) /.exec(line);
    if (chain !== null) chains.push(baseChain(tool, family, table, chain[1] ?? '', chain[2] ?? ''));
    const appended = /^(?:\[[0-9:]*\] )?-A (\S+) ?(.*)$/.exec(line);
    if (appended === null) continue;
    const [, owner = '', text = ''] = appended;
    const handle = (counts.get(owner) ?? 0) + 1;
    counts.set(owner, handle);
    rules.push({
      tool,
      family: family === 4 ? 'ip' : 'ip6',
      table,
      chain: owner,
      handle,
      text,
      ...readRule(text),
    });
  }
  return { chains, rules };
}

function baseChain(tool: RuleTool, family: Family, table: string, chain: string, policy: string): BaseChain {
  const hook = chain.toLowerCase();
  const source = table === 'nat' && (hook === 'postrouting' || hook === 'input');
  return {
    tool,
    family: family === 4 ? 'ip' : 'ip6',
    table,
    chain,
    hook,
    priority: source ? NAT_SOURCE : (PRIORITIES[table] ?? 0),
    type: table === 'nat' ? 'nat' : 'filter',
    policy: policy === 'DROP' ? 'drop' : 'accept',
  };
}

/** An option with its values, and whether `!` stood before it. */
interface Option {
  name: string;
  values: string[];
  negated: boolean;
}

function readRule(text: string): { conditions: Condition[]; actions: Action[] } {
  const options = split(text);
  const value = (name: string) => options.find((option) => option.name === name)?.values[0];
  const conditions = options.flatMap((option) => condition(option, options));
  const target = value('-j');
  const jump = value('-g');
  const actions: Action[] = [];
  if (jump !== undefined) actions.push({ kind: 'goto', chain: jump });
  else if (target !== undefined) actions.push(...targetActions(target, value, options));
  return { conditions, actions };
}

function split(text: string): Option[] {
  const words = text.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  const options: Option[] = [];
  let negated = false;
  for (const word of words) {
    if (word === '!') {
      negated = true;
    } else if (/^--?[a-z]/.test(word)) {
      options.push({ name: word, values: [], negated });
      negated = false;
    } else {
      options.at(-1)?.values.push(word.replace(/^"|"$/g, ''));
    }
  }
  return options;
}

function condition(option: Option, all: readonly Option[]): Condition[] {
  const { name, negated, values } = option;
  const [value = ''] = values;
  const ranges = () => portRanges(value);
  switch (name) {
    case '-p':
      return [{ kind: 'protocol', names: [value], negated }];
    case '--dport':
    case '--dports':
      return [{ kind: 'dport', ranges: ranges(), negated }];
    case '--sport':
    case '--sports':
      return [{ kind: 'sport', ranges: ranges(), negated }];
    case '-s':
      return [{ kind: 'saddr', prefixes: value.split(','), negated }];
    case '-d':
      return [{ kind: 'daddr', prefixes: value.split(','), negated }];
    case '-i':
      return [{ kind: 'iif', names: [value.replace(/\+$/, '*')], negated }];
    case '-o':
      return [{ kind: 'oif', names: [value.replace(/\+$/, '*')], negated }];
    case '--uid-owner':
    case '--gid-owner':
      return [{ kind: 'owner', text: `${name} ${value}` }];
    case '--mark':
      return [markCondition(value, negated, all)];
    case '--ctstate':
    case '--state':
      return [{ kind: 'state', states: value.toLowerCase().split(','), negated }];
    case '-m':
      return matchModule(value, all);
    default:
      return DECIDED.has(name) ? [] : [{ kind: 'other', text: [name, ...values].join(' ') }];
  }
}

/** Options of targets, and those that a condition beside them accounts for. */
const DECIDED = new Set([
  ...['-j', '-g', '--to-ports', '--to-destination', '--on-port', '--on-ip', '--tproxy-mark', '--set-xmark'],
  ...['--set-mark', '--and-mark', '--or-mark', '--xor-mark', '--zone', '--notrack', '--comment', '--random'],
  ...['--transparent', '--nowildcard', '--restore-skmark', '--reject-with', '--log-prefix', '--log-level'],
  ...['--restore-mark', '--save-mark', '--nfmask', '--ctmask', '--syn', '-c'],
]);

/** A module that is only a name for the options behind it says nothing itself. */
function matchModule(name: string, all: readonly Option[]): Condition[] {
  if (name !== 'socket') return [];
  return [{ kind: 'socket', transparent: all.some((option) => option.name === '--transparent') }];
}

/** `--mark` of `-m connmark` is not the packet's mark. */
function markCondition(value: string, negated: boolean, all: readonly Option[]): Condition {
  if (all.some(({ name, values }) => name === '-m' && values[0] === 'connmark')) {
    return { kind: 'other', text: `connmark ${value}` };
  }
  const { value: wanted, mask } = valueMask(value);
  return { kind: 'mark', value: wanted, mask, negated };
}

function targetActions(
  target: string,
  value: (name: string) => string | undefined,
  options: readonly Option[],
): Action[] {
  switch (target) {
    case 'ACCEPT':
      return [{ kind: 'accept' }];
    case 'RETURN':
      return [{ kind: 'return' }];
    case 'DROP':
    case 'REJECT':
      return [{ kind: 'drop' }];
    case 'REDIRECT':
      return [{ kind: 'redirect', port: port(value('--to-ports')) }];
    case 'DNAT':
      return [destination(value('--to-destination') ?? '')];
    case 'TPROXY':
      return tproxy(value);
    case 'NOTRACK':
      return [{ kind: 'notrack' }];
    case 'CT':
      return conntrack(value, options);
    case 'MARK':
      return [setMark(value)];
    case 'CONNMARK':
      return options.some(({ name }) => name === '--restore-mark')
        ? [{ kind: 'mark', value: null, clear: ALL }]
        : [];
    case 'LOG':
    case 'NFLOG':
    case 'TRACE':
    case 'TCPMSS':
    case 'CONNSECMARK':
    case 'SECMARK':
      return [];
    default:
      return [{ kind: 'jump', chain: target }];
  }
}

function conntrack(value: (name: string) => string | undefined, options: readonly Option[]): Action[] {
  const zone = value('--zone');
  if (options.some(({ name }) => name === '--notrack')) return [{ kind: 'notrack' }];
  return zone === undefined ? [] : [{ kind: 'zone', zone: /^\d+$/.test(zone) ? Number(zone) : null }];
}

/** net/netfilter/xt_TPROXY.c: mark = (mark & ~mask) ^ value, and the packet goes to the socket or nowhere. */
function tproxy(value: (name: string) => string | undefined): Action[] {
  const address = value('--on-ip') ?? '';
  const mark = valueMask(value('--tproxy-mark') ?? '0x0/0x0');
  return [
    { kind: 'mark', value: mark.value, clear: mark.mask },
    {
      kind: 'tproxy',
      address: ['', '0.0.0.0', '::'].includes(address) ? null : address,
      port: port(value('--on-port')),
      terminal: true,
    },
  ];
}

function setMark(value: (name: string) => string | undefined): Action {
  const set = value('--set-xmark') ?? value('--set-mark');
  if (set !== undefined) {
    const { value: mark, mask } = valueMask(set);
    return { kind: 'mark', value: mark, clear: mask };
  }
  const or = value('--or-mark');
  if (or !== undefined) return { kind: 'mark', value: Number(or), clear: Number(or) };
  const and = value('--and-mark');
  if (and !== undefined) return { kind: 'mark', value: 0, clear: ~Number(and) >>> 0 };
  return { kind: 'mark', value: null, clear: ALL };
}

function destination(text: string): Action {
  const match = /^(?:\[([^\]]*)\]|([^:-]*))?(?:-[^:]*)?(?::(\d+)(-\d+)?)?$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? (text.split(':').length > 2 ? text : '');
  return {
    kind: 'dnat',
    address: address === '' ? null : address,
    port: match?.[3] === undefined || match[4] !== undefined ? null : Number(match[3]),
  };
}

function valueMask(text: string): { value: number; mask: number } {
  const [value = '0', mask] = text.split('/');
  return { value: Number(value) >>> 0, mask: mask === undefined ? ALL : Number(mask) >>> 0 };
}

function portRanges(text: string): Ranges {
  return text.split(',').map((one) => {
    const [from = '0', to = from] = one.split(':');
    return [Number(from), Number(to === '' ? 65535 : to)] as const;
  });
}

function port(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) && text !== '0' ? Number(text) : null;
}
