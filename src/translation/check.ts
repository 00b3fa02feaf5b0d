/** What the original loader would do with a rule file, and what surprises the file holds. */

import { LineCheck } from './check-lines.ts';
import { checkRule } from './check-rule.ts';
import { type Finding, Mend } from './finding.ts';
import type { LoadedFile } from './loaded.ts';
import { Loader } from './loader.ts';
import { asRule, type List, type Rule } from './rule.ts';
import { findShadows, ruleName } from './shadow.ts';
import { tokenize } from './token.ts';

export interface CheckReport {
  file: string;
  loader: { outcome: 'loaded' | 'refused'; status: 0 | 1; says: string[] };
  /** How many rules land in each list of the module; `none`: in no list. Nothing is loaded when refused. */
  rules: { total: number; lists: Record<List | 'none', number> };
  /** In the order of the file. */
  findings: Finding[];
  summary: { errors: number; warnings: number; infos: number };
}

/** @param bytes one character a byte (latin1) */
export function check(file: string, bytes: string): CheckReport {
  const mend = new Mend(file);
  const loader = new Loader();
  const lines = new LineCheck(mend);
  for (const token of tokenize(bytes)) {
    loader.take(token);
    lines.take(token);
  }
  const loaded = loader.finish();
  const rules = loaded.rules.map(asRule);
  const findings = [
    ...refusals(loaded, bytes, mend),
    ...lines.finish(),
    ...rules.flatMap((rule) => checkRule(rule, mend)),
    ...shadowed(rules),
    ...notes(rules),
  ].sort((a, b) => a.line - b.line || a.column - b.column);
  const count = (severity: Finding['severity']) => findings.filter((one) => one.severity === severity).length;
  return {
    file,
    loader: {
      outcome: loaded.refusals.length === 0 ? 'loaded' : 'refused',
      status: loaded.status,
      says: loaded.says,
    },
    rules: { total: rules.length, lists: tally(rules) },
    findings,
    summary: { errors: count('error'), warnings: count('warning'), infos: count('info') },
  };
}

function refusals(loaded: LoadedFile, bytes: string, mend: Mend): Finding[] {
  return loaded.refusals.map(({ line, column, reason, cause }): Finding => {
    const remedies: Partial<Record<typeof reason, string>> = {
      'end-missing': mend.append('END', bytes.endsWith('\n')),
      'direction-missing': mend.addAfter(line, 'DIRECTION=PRE'),
      'rule-miscounted': loaded.end === null ? '' : mend.delete(loaded.end.line),
    };
    return {
      line,
      column,
      id: reason,
      severity: 'error',
      rule: null,
      cause,
      remedy: remedies[reason] || null,
    };
  });
}

function shadowed(rules: readonly Rule[]): Finding[] {
  const { shadows, unexamined } = findShadows(rules);
  const findings = shadows.map(({ rule, by }): Finding => {
    const cause = `The rule never acts: the first match wins, and ${ruleName(by)} takes all of its packets.`;
    return { ...of(rule), id: 'shadowed', severity: 'warning', cause, remedy: null };
  });
  if (unexamined === null) return findings;
  const cause = `Whether rules are shadowed was not examined from ${ruleName(unexamined)} on: too many rules overlap.`;
  return [
    ...findings,
    { ...of(unexamined), id: 'shadows-unexamined', severity: 'info', cause, remedy: null },
  ];
}

function notes(rules: readonly Rule[]): Finding[] {
  const first = rules.find(({ list }) => list === 'pre');
  if (first === undefined) return [];
  const cause =
    'PRE rules see what comes in by an interface: the host’s own connections are never redirected by them, only by OUTPUT rules.';
  return [{ ...of(first), id: 'pre-not-own-traffic', severity: 'info', cause, remedy: null }];
}

function of({ loaded }: Rule): Pick<Finding, 'line' | 'column' | 'rule'> {
  return { ...loaded.place, rule: loaded.number };
}

function tally(rules: readonly Rule[]): CheckReport['rules']['lists'] {
  const lists = { pre: 0, output: 0, masquerade: 0, snat: 0, 'input-drop': 0, 'forward-drop': 0, none: 0 };
  for (const { list } of rules) lists[list ?? 'none']++;
  return lists;
}
