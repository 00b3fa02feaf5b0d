/** A translation file in the words of another packet filter: what the writers share. */

import { shown } from '../translation/lines.ts';
import type { LoadedFile } from '../translation/loaded.ts';
import { hasPorts, type List, neverMatches, type Rule } from '../translation/rule.ts';

export const TARGETS = ['nft', 'iptables', 'pf', 'ipfw', 'ipnat'] as const;
export type Target = (typeof TARGETS)[number];
export const PF_SYSTEMS = ['freebsd', 'netbsd', 'openbsd'] as const;
export type PfSystem = (typeof PF_SYSTEMS)[number];

export interface ConvertOptions {
  /** For rules that name no interface, where the target wants one. */
  interface: string | null;
  /** Whose grammar of pf.conf(5). */
  pf: PfSystem;
}

/** A rule whose meaning the target has no words for. */
export interface Problem {
  rule: number;
  line: number;
  cause: string;
}

export interface Conversion {
  lines: string[];
  problems: Problem[];
}

/** Thrown by a writer for a rule; the rule becomes a comment and a problem. */
export class CannotCarryOver extends Error {}

/** The lists that translate, in the order in which the module asks them: ipfi_post_process, masquerade first. */
export const LISTS = ['pre', 'output', 'masquerade', 'snat'] as const satisfies readonly List[];
export type TranslationList = (typeof LISTS)[number];

/** The rules of a list that do something. */
export function rulesOf(rules: readonly Rule[], list: TranslationList): Rule[] {
  return rules.filter((rule) => rule.list === list && neverMatches(rule) === null);
}

/** What the file is, what its loader would do, and the rules that are not carried over because they do nothing. */
export function heading(loaded: LoadedFile, rules: readonly Rule[], file: string): string[] {
  const lines = [`# From ${shown(file)}, a translation file of IPFIRE-wall.`];
  for (const { line, cause } of loaded.refusals) lines.push(`# Line ${line}: ${cause}`);
  if (loaded.refusals.length > 0) lines.push('# These are its rules as they read without that.');
  for (const rule of rules) {
    const never = neverMatches(rule);
    if (rule.list === null) lines.push(`# ${title(rule)} lands in no list of the module and does nothing.`);
    else if (never !== null) lines.push(`# ${title(rule)} matches nothing: ${never}.`);
  }
  return lines;
}

/** Drop-list rules are no translation, and what a refusal cut off is not known. */
export function lostRules(loaded: LoadedFile, rules: readonly Rule[]): Problem[] {
  const problems = rules
    .filter(({ list }) => list === 'input-drop' || list === 'forward-drop')
    .map((rule): Problem => problem(rule, 'it drops packets, and translates none'));
  for (const { line, reason } of loaded.refusals) {
    if (reason === 'end-missing') continue;
    problems.push({
      rule: 0,
      line,
      cause: 'the loader refuses the file here, and what was meant is not known',
    });
  }
  return problems;
}

/** Writes the rules one after the other; one that cannot be carried over stays as a comment where it was. */
export function writeEach(
  rules: readonly Rule[],
  into: Conversion,
  indent: string,
  write: (rule: Rule) => string[],
): void {
  for (const rule of rules) {
    try {
      const lines = write(rule);
      into.lines.push(`${indent}# ${title(rule)}`, ...lines.map((line) => `${indent}${line}`));
    } catch (error) {
      if (!(error instanceof CannotCarryOver)) throw error;
      into.problems.push(problem(rule, error.message));
      into.lines.push(`${indent}# NOT CONVERTED: ${title(rule)}: ${error.message}.`);
    }
  }
}

export function problem({ loaded }: Rule, cause: string): Problem {
  return { rule: loaded.number, line: loaded.place.line, cause };
}

export function title({ loaded: { number, place, name } }: Rule): string {
  return `Rule ${number} (line ${place.line}${name === null || name === '' ? '' : `, ${shown(name)}`})`;
}

/** What a rule makes of a packet; `nothing`: it stays as it is, and no later rule is asked. */
export function outcome(rule: Rule): 'nothing' | 'masquerade' | 'translate' {
  if (rule.list === 'masquerade') return 'masquerade';
  if (rule.newAddress === null && rule.newPort === null) return 'nothing';
  // The module fails to change a port that is not there, and then changes nothing.
  if (rule.newPort !== null && !hasPorts(rule.protocol)) return 'nothing';
  if (rule.newPort === 0) throw new CannotCarryOver('nothing can listen on port 0');
  return 'translate';
}

/** Names that every tool takes as they are: no quotes, no wildcards (iptables: +, nft: *). */
export function device(name: string): string {
  if (/^[\w.:@-]{1,15}$/.test(name)) return name;
  throw new CannotCarryOver(`‘${shown(name)}’ is no name of an interface that can be written here`);
}

/** `tcp`, `udp`, or the number. */
export function protocolName(protocol: number): string {
  return protocol === 6 ? 'tcp' : protocol === 17 ? 'udp' : String(protocol);
}
