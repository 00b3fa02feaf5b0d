/** Findings that a single line shows. */

import type { Finding, Mend, Severity } from './finding.ts';
import { DIRECTIONS, LIST_LIMIT, type NumberField, nearestKeyword, recognise } from './keywords.ts';
import { LINE_LIMIT, shown } from './lines.ts';
import { isPlainNumber, readAddress, readInteger } from './numbers.ts';
import { LAST_PORT } from './ranges.ts';
import type { KeywordToken, Token } from './token.ts';

const LAST: Record<NumberField, number> = {
  PROTOCOL: 255,
  TOTAL_LENGTH: 65535,
  TOS: 255,
  ICMP_TYPE: 255,
  ICMP_CODE: 255,
  ICMP_ECHO_ID: 65535,
  ICMP_ECHO_SEQ: 65535,
  NEWPORT: LAST_PORT,
};

const BYTE_ORDER_MARK = '\u00ef\u00bb\u00bf';

export class LineCheck {
  readonly #found: Finding[] = [];
  readonly #mend: Mend;
  #rule = 0;
  #ended = false;
  /** Keywords of the present rule. */
  readonly #seen = new Map<string, number>();
  /** Lines that end with a carriage return: the first, and how many. */
  #firstReturn: Token | null = null;
  #returns = 0;
  readonly #meant = new Map<string, string | null>();

  constructor(mend: Mend) {
    this.#mend = mend;
  }

  take(token: Token): void {
    if (token.text.endsWith('\r')) {
      this.#firstReturn ??= token;
      this.#returns++;
    }
    if (token.cut)
      this.#add(token, 'error', 'nul-byte', 'A NUL byte hides the rest of the line from the loader.');
    if (token.column === LINE_LIMIT + 1) {
      this.#add(
        token,
        'error',
        'line-too-long',
        `The line is longer than ${LINE_LIMIT} bytes: the loader reads its rest as a line of its own.`,
      );
    }
    if (this.#ended) {
      this.#afterEnd(token);
      return;
    }
    if (token.kind === 'unknown') this.#unknown(token);
    if (token.kind === 'keyword') this.#keyword(token);
  }

  finish(): Finding[] {
    const first = this.#firstReturn;
    if (first !== null) {
      const count = this.#returns;
      const cause = `${count} line${count === 1 ? ' ends' : 's end'} with a carriage return (CRLF): the loader accepts the file, but skips every address and misreads every device name, so that redirected connections go nowhere.`;
      this.#found.push({
        ...{ line: first.line, column: first.column + first.text.length - 1, rule: null },
        ...{ id: 'crlf', severity: 'error', cause, remedy: this.#mend.edit('s/\\r$//') },
      });
    }
    return this.#found;
  }

  #add(
    token: Token,
    severity: Severity,
    id: string,
    cause: string,
    remedy: string | null = null,
    column = 0,
  ): void {
    const rule = this.#rule === 0 ? null : this.#rule;
    const { line } = token;
    this.#found.push({ line, column: column || token.column, id, severity, rule, cause, remedy });
  }

  #afterEnd(token: Token): void {
    if (token.kind === 'blank' || token.kind === 'comment' || isRuleLine(token)) return;
    const cause = 'The loader does not read what comes after END.';
    this.#add(token, 'warning', 'after-end', cause, this.#mend.delete(token.line));
  }

  #unknown(token: Token): void {
    const { text, line } = token;
    const trimmed = text.replace(/^[ \t]+/, '');
    if (line === 1 && text.startsWith(BYTE_ORDER_MARK)) {
      const cause =
        'The file begins with a byte order mark, so that the loader does not know its first line.';
      this.#add(token, 'error', 'byte-order-mark', cause, this.#mend.edit('1s/^\\xef\\xbb\\xbf//'));
      return;
    }
    if (trimmed !== text && (recognise(trimmed) !== null || trimmed.startsWith('#'))) {
      const severity = trimmed.startsWith('#') ? 'info' : 'error';
      const cause = 'The line begins with a blank, and for that the loader skips it without a word.';
      this.#add(token, severity, 'leading-blank', cause, this.#mend.edit(`${line}s/^[ \\t]*//`));
      return;
    }
    if (token.column > 1) return;
    const name = trimmed.split('=')[0]?.trim() ?? '';
    if (!this.#meant.has(name)) this.#meant.set(name, nearestKeyword(name));
    const meant = this.#meant.get(name) ?? null;
    const list = /^((?:SRC|DST)(?:ADDR|PORT))([0-9]+)(?:_NOT)?$/.exec(name);
    const hint =
      list === null
        ? meant === null || meant === name
          ? ''
          : ` Was ${meant} meant?`
        : ` A list is ${list[1]}, ${list[1]}2, … ${list[1]}${LIST_LIMIT}.`;
    const effect =
      this.#rule === 0 ? '' : ', so that the rule takes more than it seems to, or does something else';
    const remedy =
      list === null && meant !== null && meant !== name && /^\w+=/.test(text)
        ? this.#mend.edit(`${line}s/^\\w*=/${meant}=/`)
        : null;
    const severity = this.#rule === 0 ? 'warning' : 'error';
    const cause = `There is no keyword ‘${shown(name).slice(0, 40)}’: the loader skips the line without a word${effect}.${hint}`;
    this.#add(token, severity, 'unknown-keyword', cause, remedy);
  }

  #keyword(token: KeywordToken): void {
    const { keyword, name, line } = token;
    const value = token.value?.replace(/\r$/, '') ?? null;
    const text = token.text.replace(/\r$/, '');
    if (keyword.kind === 'rule' || keyword.kind === 'end') {
      if (text !== name) {
        const cause = `‘${shown(text).slice(0, 40)}’ is taken for ${name}: only the beginning of the line is compared.`;
        this.#add(token, 'warning', 'trailing-text', cause, this.#mend.edit(`${line}s/.*/${name}/`));
      }
      if (keyword.kind === 'rule') {
        this.#rule++;
        this.#seen.clear();
      } else if (this.#rule > 0) this.#ended = true;
      return;
    }
    if (this.#rule === 0 && keyword.kind !== 'position') {
      const cause = `${name} stands before the first RULE: the loader counts it to that rule.`;
      this.#add(token, 'warning', 'before-first-rule', cause);
    }
    this.#repeated(token);
    switch (keyword.kind) {
      case 'position': {
        const cause =
          'POSITION is obsolete: the loader prints a message and ignores it; a rule’s place in the file is its position.';
        this.#add(token, 'warning', 'position-ignored', cause, this.#mend.delete(line));
        return;
      }
      case 'address':
      case 'address-end':
      case 'new-address':
        if (readAddress(value ?? '') === null) this.#badAddress(token, value ?? '');
        return;
      case 'port':
      case 'port-end':
        this.#number(token, value ?? '', LAST_PORT);
        return;
      case 'number':
        if (keyword.field !== 'PROTOCOL') this.#number(token, value ?? '', LAST[keyword.field]);
        if (keyword.field !== 'PROTOCOL' && keyword.field !== 'NEWPORT') this.#notCompared(token);
        return;
      case 'tcp-flag':
        this.#notCompared(token);
        return;
      case 'flag':
        if (!(value ?? '').startsWith(keyword.accepts) && value !== 'NO') this.#valueIgnored(token, 'YES');
        return;
      case 'direction':
        if (!DIRECTIONS.some((word) => value?.startsWith(word)))
          this.#valueIgnored(token, DIRECTIONS.join(', '));
        return;
      case 'device': {
        const device = (value ?? '').replace(/^ +/, '');
        if (device === '' || device.length > 15 || /[\s/]/.test(device)) {
          const cause = `‘${shown(device)}’ is no interface’s name (1 to 15 characters without a blank), so that the rule never matches.`;
          this.#add(token, 'error', 'device-name', cause, null, token.valueColumn);
        }
        return;
      }
      case 'my-address':
        if (text.startsWith(`${name}_NOT`)) {
          const cause = `${name}_NOT is read as ${name}, the opposite: the loader compares the shorter word first.`;
          this.#add(token, 'error', 'my-not-unreachable', cause);
        }
        return;
      case 'mss':
        if (text.startsWith('MSS_VALUE=') && !text.startsWith('MSS_VALUE=TO_PMTU')) {
          const cause =
            'MSS_VALUE is always read as TO_PMTU: the loader compares only its first 8 characters.';
          this.#add(token, 'warning', 'mss-to-pmtu', cause, this.#mend.edit(`${line}s/=.*/=TO_PMTU/`));
        }
        return;
      case 'name':
        if ((value ?? '').length > 30) {
          this.#add(token, 'info', 'name-cut', 'The loader keeps the first 30 characters of a NAME.');
        }
        return;
    }
  }

  #repeated(token: KeywordToken): void {
    const key = token.keyword.kind === 'flag' ? token.text : token.name;
    const before = this.#seen.get(key);
    this.#seen.set(key, token.line);
    if (before === undefined || token.keyword.kind === 'position') return;
    const cause = `${token.name} was already given on line ${before}: the last one counts.`;
    this.#add(token, 'warning', 'repeated', cause, this.#mend.delete(before));
  }

  #badAddress(token: KeywordToken, value: string): void {
    const what = /\//.test(value)
      ? 'a prefix is not understood, give the first and the last address (_END_…)'
      : /[ \t]$/.test(value)
        ? 'a blank after it spoils it'
        : 'only four decimal numbers without leading zeros are';
    const cause = `‘${shown(value).slice(0, 40)}’ is not taken for an IPv4 address (${what}): the loader skips the line, and the rule stays without it.`;
    const remedy = /[ \t]$/.test(value) ? this.#mend.edit(`${token.line}s/[ \\t]*$//`) : null;
    this.#add(token, 'error', 'bad-address', cause, remedy, token.valueColumn);
  }

  #number(token: KeywordToken, value: string, last: number): void {
    if (isPlainNumber(value, last)) return;
    const read = readInteger(value) & last;
    const cause = `‘${shown(value).slice(0, 40)}’ is no number from 0 to ${last}: the loader reads ${read}.`;
    this.#add(token, 'error', 'bad-number', cause, null, token.valueColumn);
  }

  #notCompared(token: KeywordToken): void {
    const cause = `Translation rules are not compared with ${token.name}: the rule takes packets whatever theirs is.`;
    this.#add(token, 'error', 'selector-ignored', cause, this.#mend.delete(token.line));
  }

  #valueIgnored(token: KeywordToken, wanted: string): void {
    const cause = `‘${shown(token.text).slice(0, 40)}’ is skipped without a word: only ${wanted} ${wanted.includes(',') ? 'are' : 'is'} understood.`;
    this.#add(token, 'error', 'value-ignored', cause, null, token.valueColumn);
  }
}

function isRuleLine(token: Token): boolean {
  return token.kind === 'keyword' && token.keyword.kind === 'rule';
}
