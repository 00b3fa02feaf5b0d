/** Commands that mend: they run as printed, by root, in the namespace that was examined. */

import { markMatches, type PolicyRule, type Routing } from '../host/policy-routes.ts';
import type { Rule } from '../host/rule.ts';
import type { Family, Protocol } from '../verdict.ts';
import { joinWords, printable, quote, shellWord, shellWords, splitWords } from './shell.ts';

const DEFAULTS: Record<Family, string> = { 4: '0.0.0.0/0', 6: '::/0' };
/** The table that Documentation/networking/tproxy.rst uses. */
const TABLE = 100;
const MARK = 1;

export function hex(mark: number): string {
  return `0x${mark.toString(16)}`;
}

export function deleteRule(rule: Rule): string {
  if (rule.tool === 'nft') return `nft delete rule ${handle(rule)}`;
  return `${iptables(rule)} -D ${shellWord(rule.chain)} ${rule.handle}`;
}

/** The rule's name for nft(8), whose names are plain words. */
function handle({ family, table, chain, handle: number }: Rule): string {
  return `${family} ${table} ${chain} handle ${number}`;
}

function iptables({ tool, table }: Pick<Rule, 'tool' | 'table'>): string {
  return `${tool} -w -t ${table}`;
}

/** Several at once, from the last to the first: the numbers of those that are left stay true. */
export function deleteRules(rules: Iterable<Rule>): string {
  return [...new Set(rules)]
    .toSorted((a, b) => b.handle - a.handle)
    .map(deleteRule)
    .join(' && ');
}

/** Puts a rule's words elsewhere, or other words in its place. */
export function replaceRule(rule: Rule, text: string): string {
  if (rule.tool === 'nft') return `nft ${quote(`replace rule ${handle(rule)} ${text}`)}`;
  return `${iptables(rule)} -R ${shellWord(rule.chain)} ${rule.handle} ${shellWords(text)}`;
}

/** Puts a rule at the head of a chain. */
export function insertRule(rule: Pick<Rule, 'tool' | 'family' | 'table' | 'chain'>, text: string): string {
  if (rule.tool === 'nft')
    return `nft ${quote(`insert rule ${rule.family} ${rule.table} ${rule.chain} ${text}`)}`;
  return `${iptables(rule)} -I ${shellWord(rule.chain)} ${shellWords(text)}`;
}

/** The same rule, with the port that it sends to replaced. */
export function withTarget(rule: Rule, port: number): string {
  if (rule.tool === 'nft') {
    return rule.text.replace(/((?:redirect|tproxy|dnat)(?: ip6?)?(?: to \S*?)?):\d+(?=\s|$)/, `$1:${port}`);
  }
  return withOptions(rule, (name, value) => {
    if (name === '--to-ports' || name === '--on-port') return String(port);
    return name === '--to-destination' ? value.replace(/:\d+(-\d+)?$/, `:${port}`) : value;
  });
}

/** The same rule, for another port of the clients. */
export function withService(rule: Rule, port: number): string {
  if (rule.tool === 'nft') {
    return rule.text.replace(/\bdport (?:!= )?(?:\{[^}]*\}|\S+)/, `dport ${port}`);
  }
  const words = splitWords(rule.text);
  const at = words.findIndex((word) => word === '--dport' || word === '--dports');
  if (at === -1) return rule.text;
  const negated = words[at - 1] === '!';
  words.splice(negated ? at - 1 : at, negated ? 3 : 2, words[at] ?? '', String(port));
  return joinWords(words);
}

/** The same iptables rule, the value of each option by `change`. A comment is one word, whatever it holds. */
export function withOptions(rule: Rule, change: (name: string, value: string) => string): string {
  const words = splitWords(rule.text);
  return joinWords(words.map((word, at) => change(words[at - 1] ?? '', word)));
}

/** A rule's words for a sentence: without its counters, and fit for a terminal. */
export function bare({ text }: Rule): string {
  return printable(text.replace(/counter packets \d+ bytes \d+ /, ''));
}

/** The same rule, sending to an address of its own choice. */
export function withAddress(rule: Rule, family: Family, to: string, port: number): string {
  const target = family === 6 ? `[${to}]:${port}` : `${to}:${port}`;
  const ip = rule.family === 'inet' ? (family === 6 ? ' ip6' : ' ip') : '';
  if (rule.tool !== 'nft') {
    const words = splitWords(withOptions(rule, (name, value) => (name === '--on-ip' ? to : value)));
    const at = words.indexOf('REDIRECT');
    if (at > 0 && words[at - 1] === '-j') words.splice(at, 3, 'DNAT', '--to-destination', target);
    return joinWords(words);
  }
  return rule.text
    .replace(/tproxy(?: ip6?)? to \S+/, `tproxy${ip} to ${target}`)
    .replace(/(?:redirect|dnat(?: ip6?)?) to \S+/, `dnat${ip} to ${target}`);
}

/**
 * DNAT to a loopback address takes route_localnet, which would open all of 127.0.0.0/8 to the
 * neighbours: ip-sysctl.rst. So what they send there themselves is dropped first.
 */
export function guardedLoopback(
  rule: Rule,
  protocol: Protocol,
  service: number,
  port: number,
  to: string,
): string {
  const dnat =
    rule.tool === 'nft' && rule.family === 'ip'
      ? replaceRule(rule, withAddress(rule, 4, to, port))
      : insertRule(
          rule,
          rule.tool === 'nft'
            ? `${protocol} dport ${service} dnat ip to ${to}:${port}`
            : `-p ${protocol} --dport ${service} -j DNAT --to-destination ${to}:${port}`,
        );
  const guard =
    'add table ip origdst; add chain ip origdst guard { type filter hook prerouting priority raw; }; ' +
    'add rule ip origdst guard iifname != lo ip daddr 127.0.0.0/8 drop';
  return `nft ${quote(guard)} && sysctl -w net.ipv4.conf.all.route_localnet=1 && ${dnat}`;
}

export interface Wanted {
  families: readonly Family[];
  protocol: Protocol;
  /** The port that clients connect to. */
  service: number;
  /** The listener's. */
  port: number;
}

/** A table of its own that redirects; see nft(8), NAT statements. */
export function redirectRule({ families, protocol, service, port }: Wanted): string {
  return nftTable(
    families,
    `redirect_${port}`,
    'type nat hook prerouting priority dstnat;',
    `${protocol} dport ${service} redirect to :${port}`,
  );
}

/** A table of its own that hands over to a transparent listener. */
export function tproxyRule({ families, protocol, service, port }: Wanted, mark: number): string {
  return nftTable(
    families,
    `tproxy_${port}`,
    'type filter hook prerouting priority mangle;',
    `${protocol} dport ${service} tproxy to :${port} meta mark set ${hex(mark)} accept`,
  );
}

/** Marks what belongs to a transparent socket of this host, so that it is delivered here. */
export function socketRule(families: readonly Family[], protocol: Protocol, mark: number): string {
  return nftTable(
    families,
    'divert',
    'type filter hook prerouting priority mangle;',
    `meta l4proto ${protocol} socket transparent 1 meta mark set ${hex(mark)} accept`,
  );
}

function nftTable(families: readonly Family[], chain: string, head: string, rule: string): string {
  const family = families.length > 1 ? 'inet' : families[0] === 6 ? 'ip6' : 'ip';
  return `nft ${quote(
    `add table ${family} origdst; add chain ${family} origdst ${chain} { ${head} }; add rule ${family} origdst ${chain} ${rule}`,
  )}`;
}

/** What is missing of a policy route that delivers packets with this mark to this host. */
export function policyRoute(family: Family, mark: number, routing: Routing): string {
  const table = localTables(routing)[0] ?? freeTable(routing);
  const ip = family === 6 ? 'ip -6' : 'ip';
  const rule = `${ip} rule add fwmark ${hex(mark)} lookup ${table}`;
  return localTables(routing).length > 0 ? rule : `${rule} && ${localRoute(family, table)}`;
}

/** The same, where some of it may be there already: what is left to be done. */
export function missingRoute(family: Family, mark: number, routing: Routing): string[] {
  const fitting = routing.rules.filter(
    (rule) => rule.mark !== null && !rule.negated && markMatches(rule, mark),
  );
  if (fitting.some(({ table }) => localTables(routing).includes(table))) return [];
  const [first] = fitting;
  return [first === undefined ? policyRoute(family, mark, routing) : localRoute(family, first.table)];
}

export function localRoute(family: Family, table: string): string {
  return `ip ${family === 6 ? '-6 ' : ''}route replace local ${DEFAULTS[family]} dev lo table ${table}`;
}

/** Tables that deliver everything to this host. */
export function localTables(routing: Routing): string[] {
  return routing.routes
    .filter(({ type, length }) => type === 'local' && length === 0)
    .map(({ table }) => table);
}

/** A mark that leads to such a table already, or one that no rule looks at. */
export function usableMark(routing: Routing): number {
  const tables = localTables(routing);
  const existing = routing.rules.find(
    (rule) => rule.mark !== null && !rule.negated && tables.includes(rule.table),
  );
  if (existing?.mark) return existing.mark.value;
  const taken = (mark: number) =>
    routing.rules.some(
      (rule: PolicyRule) => rule.mark !== null && (mark & rule.mark.mask) >>> 0 === rule.mark.value,
    );
  let mark = MARK;
  while (taken(mark) && mark < 0x80000000) mark *= 2;
  return mark;
}

function freeTable(routing: Routing): string {
  let table = TABLE;
  while (routing.routes.some((route) => route.table === String(table))) table += 1;
  return String(table);
}
