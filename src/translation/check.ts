/** What the original loader would do with a rule file, and what surprises the file holds. */

import { LineCheck } from './check-lines.ts';
import { checkRule } from './check-rule.ts';
import { type Finding, Mend } from './finding.ts';
import type { LoadedFile } from './loaded.ts';
import { Loader } from './loader.ts';
import { asRule, type List, type Rule } from './rule.ts';
import { Shadows } from './shadow.ts';
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
  const rules = new RulesCheck(mend);
  const loader = new Loader((rule) => rules.take(asRule(rule)));
  const lines = new LineCheck(mend);
  for (const token of tokenize(bytes)) {
    loader.take(token);
    lines.take(token);
  }
  const loaded = loader.finish();
  const findings = [...refusals(loaded, bytes, mend), ...lines.finish(), ...rules.findings].sort(
    (a, b) => a.line - b.line || a.column - b.column,
  );
  const count = (severity: Finding['severity']) => findings.filter((one) => one.severity === severity).length;
  return {
    file,
    loader: {
      outcome: loaded.refusals.length === 0 ? 'loaded' : 'refused',
      status: loaded.status,
      says: loaded.says,
    },
    rules: { total: rules.total, lists: rules.lists },
    findings,
    summary: { errors: count('error'), warnings: count('warning'), infos: count('info') },
  };
}

class RulesCheck {
  readonly findings: Finding[] = [];
  readonly lists = { pre: 0, output: 0, masquerade: 0, snat: 0, 'input-drop': 0, 'forward-drop': 0, none: 0 };
  total = 0;
  readonly #mend: Mend;
  readonly #shadows = new Shadows();

  constructor(mend: Mend) {
    this.#mend = mend;
  }

  take(rule: Rule): void {
    this.total++;
    this.lists[rule.list ?? 'none']++;
    if (rule.list === 'pre' && this.lists.pre === 1) this.#note(rule, 'info', 'pre-not-own-traffic', NOT_OWN);
    this.findings.push(...checkRule(rule, this.#mend));
    const examined = this.#shadows.open;
    const by = this.#shadows.examine(rule);
    if (by !== null) {
      const cause = `The rule never acts: the first match wins, and ${by} takes all of its packets.`;
      this.#note(rule, 'warning', 'shadowed', cause);
    } else if (examined && !this.#shadows.open) {
      const cause =
        'From this rule on it was not examined whether rules are shadowed: too many of them overlap.';
      this.#note(rule, 'info', 'shadows-unexamined', cause);
    }
  }

  #note({ loaded }: Rule, severity: Finding['severity'], id: string, cause: string): void {
    this.findings.push({ ...loaded.place, id, severity, rule: loaded.number, cause, remedy: null });
  }
}

const NOT_OWN =
  'PRE rules see what comes in by an interface: the host’s own connections are never redirected by them, only by OUTPUT rules.';

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
