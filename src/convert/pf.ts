/** pf.conf(5), in the grammar of FreeBSD and NetBSD (rdr, nat) or of OpenBSD since 4.7 (rdr-to, nat-to). */

import { formatAddress } from '../translation/numbers.ts';
import { hasPorts, type Rule } from '../translation/rule.ts';
import {
  CannotCarryOver,
  type Conversion,
  type ConvertOptions,
  device,
  LISTS,
  outcome,
  protocolName,
  rulesOf,
  writeEach,
} from './conversion.ts';
import { cidrs, portRanges, type Values, values } from './words.ts';

export function writePf(
  rules: readonly Rule[],
  into: Conversion,
  { pf, interface: fallback }: ConvertOptions,
): void {
  const modern = pf === 'openbsd';
  into.lines.push(
    `# For ${pf === 'openbsd' ? 'OpenBSD' : pf === 'netbsd' ? 'NetBSD' : 'FreeBSD'}; try it with pfctl -n -f.`,
  );
  if (modern)
    into.lines.push(
      '# “quick”, because the first match is to win: these rules also let their packets through.',
    );
  const own = LISTS.flatMap((list) => rulesOf(rules, list));
  const body: Conversion = { lines: [], problems: into.problems };
  const tables: string[] = [];
  writeEach(own, body, '', (rule) => {
    const written = new RuleWriter(rule, modern, fallback);
    const line = written.line();
    tables.push(...written.tables);
    return [line];
  });
  into.lines.push(...tables, ...body.lines);
}

class RuleWriter {
  readonly tables: string[] = [];
  readonly #rule: Rule;
  readonly #modern: boolean;
  readonly #fallback: string | null;

  constructor(rule: Rule, modern: boolean, fallback: string | null) {
    this.#rule = rule;
    this.#modern = modern;
    this.#fallback = fallback;
  }

  line(): string {
    const rule = this.#rule;
    if (rule.list === 'output') {
      throw new CannotCarryOver('pf redirects what comes in by an interface, not what this host sends');
    }
    const before = rule.list === 'pre';
    const kind = outcome(rule);
    const on = before ? rule.inDevice : (rule.outDevice ?? (kind === 'masquerade' ? this.#fallback : null));
    const where = on === null ? '' : `on ${device(on)} `;
    const from = this.#side('from', values(rule.source), values(rule.sourcePort));
    const to = this.#side('to', values(rule.destination), values(rule.destinationPort));
    const match = `${where}inet proto ${protocolName(rule.protocol)} ${from} ${to}`;
    const verb = before ? 'rdr' : 'nat';
    if (this.#modern) {
      const pass = `pass ${before ? 'in' : 'out'} quick ${match}`;
      return kind === 'nothing' ? pass : `${pass} ${verb}-to ${this.#target(on)}`;
    }
    return kind === 'nothing' ? `no ${verb} ${match}` : `${verb} ${match} -> ${this.#target(on)}`;
  }

  /** Without `static-port` pf chooses another source port; the module keeps it. */
  #target(on: string | null): string {
    const { list, newAddress, newPort } = this.#rule;
    if (list === 'masquerade') {
      if (on === null)
        throw new CannotCarryOver('it names no OUTDEVICE to take the address of (give --interface)');
      return `(${device(on)}) static-port`;
    }
    if (newAddress === null) throw new CannotCarryOver('pf cannot change a port and keep the address');
    const port =
      newPort === null
        ? list === 'snat' && hasPorts(this.#rule.protocol)
          ? ' static-port'
          : ''
        : ` port ${newPort}`;
    return `${formatAddress(newAddress)}${port}`;
  }

  #side(word: 'from' | 'to', address: Values | null, port: Values | null): string {
    return [word, this.#address(word, address), ...ports(port)].join(' ');
  }

  #address(word: string, of: Values | null): string {
    if (of === null) return 'any';
    const list = cidrs(of.ranges);
    const [only] = list;
    if (list.length === 1) return `${of.negated ? '! ' : ''}${only}`;
    if (!of.negated) return `{ ${list.join(', ')} }`;
    // { ! a, ! b } would be two rules, and each would match what the other leaves out.
    const table = `<origdst_${this.#rule.loaded.number}_${word}>`;
    this.tables.push(`table ${table} const { ${list.join(', ')} }`);
    return `! ${table}`;
  }
}

function ports(of: Values | null): string[] {
  if (of === null) return [];
  const list = portRanges(of, ':');
  return ['port', list.length === 1 ? (list[0] ?? '') : `{ ${list.join(', ')} }`];
}
