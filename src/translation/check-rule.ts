/** Findings about a rule as a whole: what it does, or does not do, whatever its lines say. */

import type { Finding, Mend, Severity } from './finding.ts';
import type { Side } from './keywords.ts';
import { shown } from './lines.ts';
import type { LoadedRule, Slot } from './loaded.ts';
import { formatAddress } from './numbers.ts';
import { hasPorts, listValues, neverMatches, type Rule, target } from './rule.ts';
import type { KeywordToken, Place } from './token.ts';

const PROTOCOL_NUMBERS: Record<string, number> = { icmp: 1, igmp: 2, tcp: 6, udp: 17, gre: 47, sctp: 132 };

export function checkRule(rule: Rule, mend: Mend): Finding[] {
  const check = new RuleCheck(rule, mend);
  check.protocol();
  check.placement();
  check.selectors();
  check.translation();
  return check.found;
}

class RuleCheck {
  readonly found: Finding[] = [];
  readonly #rule: Rule;
  readonly #loaded: LoadedRule;
  readonly #mend: Mend;

  constructor(rule: Rule, mend: Mend) {
    this.#rule = rule;
    this.#loaded = rule.loaded;
    this.#mend = mend;
  }

  #add(severity: Severity, id: string, cause: string, remedy: string | null = null, at?: Place): void {
    const { line, column } = at ?? this.#loaded.place;
    this.found.push({ line, column, id, severity, rule: this.#loaded.number, cause, remedy });
  }

  #token(name: string): KeywordToken | undefined {
    return this.#loaded.tokens.findLast((token) => token.name === name);
  }

  protocol(): void {
    const token = this.#token('PROTOCOL');
    const { place } = this.#loaded;
    if (token === undefined) {
      const cause = 'The rule has no PROTOCOL, and there is no “any”: it matches nothing.';
      this.#add('error', 'protocol-missing', cause, this.#mend.addAfter(place.line, 'PROTOCOL=6'));
      return;
    }
    const value = (token.value ?? '').replace(/\r$/, '');
    if (/^[1-9][0-9]{0,2}$/.test(value) && Number(value) <= 255) return;
    const number = PROTOCOL_NUMBERS[value.trim().toLowerCase()];
    const at = { line: token.line, column: token.valueColumn };
    const { protocol } = this.#rule;
    const effect = protocol === 0 ? 'and the rule matches nothing' : 'and the rule is about that protocol';
    const cause = `PROTOCOL is a number: ‘${shown(value).slice(0, 20)}’ is read as ${protocol}, ${effect}.`;
    const remedy = number === undefined ? null : this.#mend.edit(`${token.line}s/=.*/=${number}/`);
    this.#add('error', 'protocol-named', cause, remedy, at);
  }

  placement(): void {
    const { direction, nat, snat, masquerade, place } = this.#loaded;
    const at = this.#token('DIRECTION') ?? place;
    switch (direction) {
      case 'PRE':
        if (!nat) {
          const cause = 'A PRE rule without NAT=YES lands in no list: it does nothing.';
          this.#add('error', 'pre-without-nat', cause, this.#mend.addAfter(place.line, 'NAT=YES'));
        } else if (snat || masquerade) {
          const cause = 'SNAT and MASQUERADE are for POST: at PRE the rule changes the destination.';
          this.#add('warning', 'source-translation-at-pre', cause);
        }
        return;
      case 'POST':
        if (snat || masquerade) return;
        this.#add(
          'error',
          'post-without-source-translation',
          `A POST rule with ${nat ? 'NAT=YES alone' : 'neither SNAT nor MASQUERADE'} lands in no list: it does nothing.`,
          this.#mend.addAfter(place.line, 'SNAT=YES'),
        );
        return;
      case 'OUTPUT':
        this.#add(
          'warning',
          'output-needs-permission',
          'An OUTPUT rule works only where a rule of the permission file lets the packet out, whatever the default policy is.',
        );
        return;
      case 'INPUT':
      case 'FORWARD':
        this.#add(
          'error',
          'drop-list',
          `A${direction === 'INPUT' ? 'n' : ''} ${direction} rule of a translation file lands in the drop list: it translates nothing, and its packets are dropped.`,
          null,
          at,
        );
        return;
    }
  }

  selectors(): void {
    const { sourceAddress, destinationAddress, sourcePort, destinationPort, direction, place } = this.#loaded;
    this.#slot('source', 'ADDR', sourceAddress);
    this.#slot('destination', 'ADDR', destinationAddress);
    this.#slot('source', 'PORT', sourcePort);
    this.#slot('destination', 'PORT', destinationPort);
    const ports = [sourcePort, destinationPort].find(({ is }) => is !== 'unset');
    const { protocol } = this.#rule;
    if (ports !== undefined && protocol !== 0 && !hasPorts(protocol)) {
      const cause = `Ports are compared for TCP and UDP alone: this rule takes every packet of protocol ${protocol}.`;
      this.#add('error', 'ports-ignored', cause, null, ports.tokens[0]);
    }
    const never = protocol === 0 ? null : neverMatches(this.#rule);
    if (never !== null) this.#add('error', 'never-matches', `The rule matches nothing: ${never}.`);
    const { source, destination, destinationPort: port } = this.#rule;
    const open = [source, destination, port].every(({ kind }) => kind === 'any');
    if (open && hasPorts(protocol) && direction === 'PRE' && this.#rule.list !== null) {
      const cause =
        'The rule names no address and no destination port: it takes every connection that comes in, also those to this host.';
      this.#add('warning', 'takes-everything', cause, null, place);
    }
  }

  #slot(side: Side, what: 'ADDR' | 'PORT', slot: Slot): void {
    const key = `${side === 'source' ? 'SRC' : 'DST'}${what}`;
    const { meaning, values, tokens } = slot;
    const [first] = tokens;
    if (slot.is !== 'given' || first === undefined) return;
    const not = tokens.filter(isNegated).length;
    const negated = meaning.endsWith('different');
    if (not > 0 && not < tokens.length && !(meaning === 'interval-different' && not === 1)) {
      const isInterval = meaning.startsWith('interval');
      const effect = negated ? 'none of them may match' : 'any of them may match';
      const last = tokens.at(-1) ?? first;
      const cause = isInterval
        ? `The last line decides: ${key}_NOT is lost, and the rule takes ${this.#interval(what, values)}.`
        : `Plain and _NOT members of one list do not go together: the last line decides, and ${effect}.`;
      this.#add('error', isInterval ? 'negation-lost' : 'negation-mixed', cause, null, last);
    }
    if (meaning.startsWith('multi')) {
      const kept = listValues(values).length;
      if (kept < Object.keys(values).length) {
        const cause = `A list ends at its first member that is missing or zero: of ${key} ${kept === 0 ? 'none counts' : `only the first ${kept} count`}.`;
        this.#add('error', 'list-has-hole', cause, null, first);
      }
    }
    const [from = 0, to = 0] = values;
    if (meaning.startsWith('interval') && from > to) {
      const cause = `The interval is reversed (${this.#interval(what, values)}): it holds nothing.`;
      this.#add('error', 'interval-reversed', cause, null, tokens.at(-1));
    }
    if (meaning.startsWith('interval') && tokens.some((token) => /[0-9]/.test(token.name))) {
      const cause = `A list and an interval do not go together: the rule takes ${negated ? 'all but ' : ''}${this.#interval(what, values)}.`;
      this.#add('error', 'list-and-interval', cause, null, tokens.at(-1));
    }
    if (meaning.startsWith('multi') && tokens.some((token) => token.name.startsWith('_END'))) {
      const cause = `A list and an interval do not go together: ${key} counts as a list.`;
      this.#add('error', 'list-and-interval', cause, null, tokens.at(-1));
    }
  }

  #interval(what: 'ADDR' | 'PORT', [from = 0, to = 0]: readonly number[]): string {
    return what === 'PORT' ? `${from} to ${to}` : `${formatAddress(from)} to ${formatAddress(to)}`;
  }

  translation(): void {
    const { list, newAddress, newPort, protocol } = this.#rule;
    if (list === null || list === 'input-drop' || list === 'forward-drop') return;
    const port = this.#token('NEWPORT');
    if (newPort !== null && protocol !== 0 && !hasPorts(protocol)) {
      const cause = `NEWPORT makes the module fail to change a packet of protocol ${protocol}: the packet stays as it is.`;
      this.#add('error', 'port-of-no-port-protocol', cause, null, port);
    }
    if (newPort === 0) this.#add('error', 'port-zero', 'Nothing listens on port 0.', null, port);
    if (list === 'masquerade') {
      if (newAddress === null && newPort === null) return;
      const cause = 'MASQUERADE takes the address of the output interface: NEWADDR and NEWPORT are ignored.';
      this.#add('warning', 'masquerade-alone', cause, null, this.#token('NEWADDR') ?? port);
      return;
    }
    if (newAddress === null && newPort === null) {
      const cause =
        'The rule has neither NEWADDR nor NEWPORT: what it matches stays as it is, and no later rule is asked.';
      this.#add('warning', 'changes-nothing', cause);
    } else if (list === 'snat') {
      if (newAddress === null) {
        this.#add('warning', 'address-kept', 'SNAT without NEWADDR keeps the source address.');
      }
    } else if (newAddress === null) {
      const cause = `NEWPORT without NEWADDR keeps the destination address: the packet goes to port ${newPort} of the machine that the client wanted, not of this host.`;
      this.#add('warning', 'address-kept', cause, null, port);
    } else if (list === 'output' && newAddress >>> 24 === 127) {
      const cause = `An OUTPUT packet is not routed again: what was meant for another machine does not reach ${target(this.#rule)}.`;
      this.#add('warning', 'output-not-rerouted', cause, null, this.#token('NEWADDR'));
    }
  }
}

function isNegated({ keyword }: KeywordToken): boolean {
  return (
    (keyword.kind === 'address' || keyword.kind === 'port' || keyword.kind === 'address-end') &&
    keyword.negated
  );
}
