/**
 * The original loader, replayed: allocate_ruleset and parse_rulefile_and_fill of IPFIRE-wall 1.99.5
 * (ipfi/src/ipfire_userspace.c), with its order of tests and its slips. It was recorded on a real kernel;
 * test/unit/translation-loader.test.ts holds this replay to the recording.
 */

import { DIRECTIONS } from './keywords.ts';
import { shown } from './lines.ts';
import type { LoadedFile, LoadedRule, Refusal, Slot } from './loaded.ts';
import { readAddress, readInteger } from './numbers.ts';
import { addressSlot, emptyRule, portSlot, set } from './slots.ts';
import { type KeywordToken, type Place, type Token, tokenize } from './token.ts';

const BAD_ADDRESS = 'Error getting source address from line: Success';

export function load(file: string): LoadedFile {
  const loader = new Loader();
  for (const token of tokenize(file)) loader.take(token);
  return loader.finish();
}

/** Takes the lines one by one, and gives the rules one by one: a big file is never held as tokens. */
export class Loader {
  readonly #onRule: (rule: LoadedRule) => void;
  readonly #result: LoadedFile = { rules: [], refusals: [], says: [], status: 0, end: null };
  #rule = emptyRule();
  /** The rule that is being read; 0 before the first RULE. */
  #number = 0;
  #counted = 0;
  #finished = 0;
  /** The first line that is counted as a rule and not read as one. */
  #extra: Token | null = null;
  #last: Place = { line: 1, column: 1 };

  /** @param onRule takes the rules instead of the result */
  constructor(onRule?: (rule: LoadedRule) => void) {
    this.#onRule = onRule ?? ((rule) => void this.#result.rules.push(rule));
  }

  take(token: Token): void {
    this.#last = token;
    if (countsAsRule(token)) {
      this.#counted++;
      if (this.#result.end !== null || !isRule(token)) this.#extra ??= token;
    }
    if (token.kind === 'keyword' && this.#result.end === null) this.#keyword(token);
  }

  finish(): LoadedFile {
    if (this.#result.end === null && this.#number > 0) this.#endMissing();
    else if (this.#extra !== null) this.#miscounted(this.#extra);
    return this.#result;
  }

  #keyword(token: KeywordToken): void {
    const { keyword } = token;
    const rule = this.#rule;
    const value = token.value ?? '';
    if (KEPT.has(token.name)) rule.tokens.push(token);
    switch (keyword.kind) {
      case 'rule':
        this.#begin(token);
        return;
      case 'end':
        // Before the first RULE it means nothing.
        if (this.#number === 0) return;
        this.#commit();
        this.#result.end = { line: token.line, column: token.column };
        return;
      case 'position':
        this.#say(`Keyword "${shown(token.text)}" at line ${token.read} not valid!`);
        return;
      case 'address':
        this.#address(addressSlot(rule, keyword.side), token, keyword.index, keyword.negated);
        return;
      case 'address-end':
        this.#addressEnd(addressSlot(rule, keyword.side), token, keyword.negated);
        return;
      case 'my-address':
        this.#mine(addressSlot(rule, keyword.side), token);
        return;
      case 'port': {
        const slot = portSlot(rule, keyword.side);
        set(slot, token, keyword.index, readInteger(value) & 0xffff, keyword.negated);
        return;
      }
      case 'port-end': {
        const slot = portSlot(rule, keyword.side);
        if (slot.is === 'unset') {
          this.#noStart(token);
          return;
        }
        slot.meaning = 'interval';
        slot.values[1] = readInteger(value) & 0xffff;
        slot.tokens.push(token);
        return;
      }
      case 'device':
        // 16 characters are kept; the kernel's own names have 15.
        if (keyword.which === 'in') rule.inDevice = value.replace(/^ +/, '').slice(0, 16);
        else rule.outDevice = value.replace(/^ +/, '').slice(0, 16);
        return;
      case 'number':
        if (keyword.field === 'PROTOCOL') rule.protocol = readInteger(value) & 0xff;
        else if (keyword.field === 'NEWPORT') rule.newPort = readInteger(value) & 0xffff;
        return;
      case 'flag':
        if (!value.startsWith(keyword.accepts)) return;
        if (keyword.flag === 'NAT' || keyword.flag === 'SNAT') rule.nat = true;
        if (keyword.flag === 'SNAT') rule.snat = true;
        if (keyword.flag === 'MASQUERADE') rule.masquerade = true;
        return;
      case 'direction':
        rule.direction = DIRECTIONS.find((word) => value.startsWith(word)) ?? rule.direction;
        return;
      case 'new-address': {
        const address = readAddress(value);
        if (address === null) this.#say(BAD_ADDRESS);
        else rule.newAddress = address;
        return;
      }
      case 'name':
        rule.name = value.slice(0, 30);
        return;
    }
  }

  /** What stands before the first RULE stays in the first rule: only a commit empties it. */
  #begin(token: KeywordToken): void {
    if (this.#number > 0) {
      this.#commit();
      this.#rule = emptyRule();
    }
    this.#number++;
    this.#rule.number = this.#number;
    this.#rule.place = { line: token.line, column: token.column };
  }

  #commit(): void {
    const { direction, number, place } = this.#rule;
    if (direction === null) {
      const cause = `Rule ${number} has no DIRECTION, and for that the loader refuses the whole file.`;
      this.#refuse(place, 'direction-missing', cause, [
        'Error: parameter "DIRECTION=OUTPUT|PRE|POST|INPUT|FORWARD"',
        'not specified and the rule is a nat/masquerading one!',
        "I won't add any rule from this configuraton file!",
        `RULE N. ${number}`,
        'Error, freeing memory.',
      ]);
    }
    this.#finished++;
    this.#onRule(this.#rule);
  }

  #address(slot: Slot, token: KeywordToken, index: number, negated: boolean): void {
    const address = readAddress(token.value ?? '');
    if (address === null) this.#say(BAD_ADDRESS);
    else set(slot, token, index, address, negated);
  }

  #addressEnd(slot: Slot, token: KeywordToken, negated: boolean): void {
    if (slot.is !== 'given') {
      this.#noStart(token);
      return;
    }
    const address = readAddress(token.value ?? '');
    if (address === null) {
      const which = slot === this.#rule.sourceAddress ? 'source' : 'destination';
      this.#say(`Error getting ${which} address from line: Success`);
      return;
    }
    slot.meaning = negated ? 'interval-different' : 'interval';
    slot.values[1] = address;
    slot.tokens.push(token);
  }

  #mine(slot: Slot, token: KeywordToken): void {
    if (slot.is !== 'unset') {
      const cause = `${token.name} follows another address of the same side, and for that the loader refuses the whole file.`;
      this.#refuse(token, 'address-conflict', cause, [
        'You specified a value for a parameter and now you mean',
        `the opposite: bad! Check line ${token.read}.`,
        'Error, freeing memory.',
      ]);
      return;
    }
    slot.is = 'mine';
    slot.meaning = 'single';
    slot.tokens.push(token);
  }

  #noStart(token: KeywordToken): void {
    const cause = `${token.name} comes before the first value of its interval, and for that the loader refuses the whole file.`;
    this.#refuse(token, 'interval-without-start', cause, [
      "You can't specify an end interval without first specifying",
      `the first value of the interval itself! (line ${token.read})`,
      'Error, freeing memory.',
    ]);
  }

  #endMissing(): void {
    // The loader has not looked at the rule that END would have closed.
    this.#finished++;
    this.#onRule(this.#rule);
    const cause = 'There is no END after the last rule, and for that the loader refuses the whole file.';
    this.#refuse(this.#last, 'end-missing', cause, mismatch(this.#counted, 0));
  }

  /** The loader counts the RULE lines of the whole file first, and reads only up to END. */
  #miscounted(extra: Token): void {
    const cause = isRule(extra)
      ? 'There is a RULE after END: the loader counts it, does not read it, and refuses the whole file.'
      : 'The line begins like BSRULE: the loader counts it as a rule, does not read it as one, and refuses the whole file.';
    const read = this.#result.end === null ? 0 : this.#finished;
    this.#refuse(extra, 'rule-miscounted', cause, mismatch(this.#counted, read));
  }

  /** The loader ends at the first refusal; what would be the next ones is told all the same. */
  #refuse({ line, column }: Place, reason: Refusal['reason'], cause: string, says: readonly string[]): void {
    this.#say(...says);
    this.#result.refusals.push({ line, column, reason, cause });
    this.#result.status = 1;
  }

  #say(...words: string[]): void {
    if (this.#result.refusals.length === 0) this.#result.says.push(...words);
  }
}

/** The lines that findings about a rule as a whole point to. */
const KEPT = new Set(['DIRECTION', 'PROTOCOL', 'NEWADDR', 'NEWPORT']);

function mismatch(counted: number, read: number): string[] {
  return [`Error! Number of rules mismatch [${counted} vs ${read}]! Strange!`];
}

function isRule(token: Token): boolean {
  return token.kind === 'keyword' && token.keyword.kind === 'rule';
}

/** get_number_of_rules compares four characters, also of BSRULE. */
function countsAsRule(token: Token): boolean {
  if (token.kind === 'unknown') return token.text.startsWith('BSRU');
  return token.kind === 'keyword' && token.keyword.kind === 'rule';
}
