/** `--prove`: drives the mechanisms with real packets and merges what came of it into the matrix. */

import { readFileSync } from 'node:fs';
import { explainRefusal, type Refusal, readSettings } from './host/user-namespaces.ts';
import { LabError } from './lab/host.ts';
import { findProgram } from './lab/programs.ts';
import type { Proof, ProofResult } from './lab/proof.ts';
import { proofs } from './lab/proofs/index.ts';
import { NO_LAB, runProofs } from './lab/prove.ts';
import { findRuleTools, NO_RULE_TOOL, type RuleToolName } from './lab/rule-tool.ts';
import { type InnerOptions, runInside } from './lab/unprivileged.ts';
import { type CapabilityReport, type CapabilityRow, summarize } from './matrix.ts';
import { loadNative, type Native, NativeMissing } from './native.ts';
import type { CapabilityVerdict, Step } from './verdict.ts';

export interface ProofReport {
  /** Where the labs were: in namespaces of this process, or inside a user namespace of their own. */
  where: 'process' | 'user-namespace' | null;
  /** Why nothing could be proven; null when proofs were run. */
  refusal: Refusal | null;
  /** What was asked of the kernel to find that out. */
  evidence: Step[];
  /** What brought the rules in. */
  tools: RuleToolName[];
  /** Modules that the kernel loaded meanwhile, for the first rule of a kind: all that can stay behind. */
  modules: string[];
  proofs: ProofResult[];
}

export interface ProveOptions {
  /** Which rows, or which proofs. */
  pattern: RegExp;
  watch: boolean;
  keep: boolean;
  onProgress?: (done: number, total: number, proof: Proof) => void;
}

export interface ProveResult {
  report: CapabilityReport & { proof: ProofReport };
  /** Takes kept labs down. */
  end(): void;
}

/** Rows that a proof can say something about; the others have no mechanism to drive. */
const PROVABLE: readonly CapabilityVerdict[] = ['available', 'denied', 'unknown'];

/** @throws {SyntaxError} when the pattern names neither a row nor a proof */
export async function prove(report: CapabilityReport, options: ProveOptions): Promise<ProveResult> {
  const { pattern } = options;
  if (![...report.results, ...proofs].some(({ id }) => pattern.test(id))) {
    throw new SyntaxError('--prove names no row; see: origdst capabilities --json');
  }
  const chosen = choose(report, pattern);
  const before = modules();
  const { run, end } = await attempt(chosen, options);
  const rows = new Set(
    chosen.flatMap((proof) =>
      pattern.test(proof.id) ? proof.rows : proof.rows.filter((row) => pattern.test(row)),
    ),
  );
  const results = report.results.map((row) => (rows.has(row.id) ? merge(row, run) : row));
  const proof = { ...run, modules: modules().filter((name) => !before.includes(name)) };
  return { report: { ...report, results, summary: summarize(results), proof }, end };
}

/** Proofs that bear on a named row, or are named themselves; only those whose every row has a mechanism here. */
function choose(report: CapabilityReport, pattern: RegExp): Proof[] {
  const provable = new Set(
    report.results.filter(({ verdict }) => PROVABLE.includes(verdict)).map(({ id }) => id),
  );
  return proofs.filter(
    ({ id, rows }) =>
      rows.every((row) => provable.has(row)) && (pattern.test(id) || rows.some((row) => pattern.test(row))),
  );
}

type Run = Omit<ProofReport, 'modules'>;

async function attempt(chosen: readonly Proof[], options: ProveOptions): Promise<{ run: Run; end(): void }> {
  const native = loadNative();
  if (native instanceof NativeMissing)
    return nothing({ reason: 'native-missing', cause: native.message, remedy: native.remedy });
  if (chosen.length === 0) return nothing(NO_PROOF);
  if (findProgram('ip') === null) return nothing(NO_IP);
  const tools = findRuleTools();
  if (tools.length === 0) return nothing(NO_RULE_TOOL);
  const step = tryNamespace(native);
  if (step.errorName === null) {
    const results = await runProofs(native, chosen, { tools, ...options });
    return { run: ran('process', results, [step]), end: () => {} };
  }
  const steps = [step, ...native.tryUserNamespace()];
  const refusal = explainRefusal(steps.slice(1), readSettings());
  if (refusal !== null) return nothing(refusal, steps);
  try {
    const inner = await runInside({
      proofs: chosen.map(({ id }) => id),
      watch: options.watch,
      keep: options.keep,
    });
    return { run: ran('user-namespace', inner.results, steps), end: inner.end };
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    return nothing(
      {
        reason: NO_LAB,
        cause: `${error.message}.`,
        remedy: error.remedy ?? 'run the same command as root (sudo)',
      },
      steps,
    );
  }
}

const NO_IP: Refusal = {
  reason: 'no-ip',
  cause: 'ip is not installed, so that the lab can have no links and routes: nothing can be proven.',
  remedy: 'apt-get install iproute2',
};

const NO_PROOF: Refusal = {
  reason: 'nothing-to-prove',
  cause: 'None of the named rows has a mechanism on this host that packets could be sent through.',
  remedy: 'origdst capabilities   # says why, row by row',
};

/** May this process make network namespaces itself, and return from them? Nothing stays of the attempt. */
function tryNamespace(native: Native): Step {
  const { fd, steps } = native.newNamespace();
  if (fd !== null) native.close(fd);
  const step = steps.at(-1);
  if (step === undefined) throw new Error('newNamespace answered nothing');
  return step;
}

function nothing(refusal: Refusal, evidence: Step[] = []): { run: Run; end(): void } {
  return { run: { where: null, refusal, evidence, tools: [], proofs: [] }, end: () => {} };
}

function ran(where: 'process' | 'user-namespace', results: ProofResult[], evidence: Step[]): Run {
  const tools = [...new Set(results.flatMap(({ tool }) => tool ?? []))];
  const refusal = results.every(({ reason }) => reason === NO_LAB) ? withoutLab(results) : null;
  return { where, refusal, evidence, tools, proofs: results };
}

/** A lab that could not be built says nothing about a mechanism. */
function withoutLab([first]: readonly ProofResult[]): Refusal {
  const cause = `No lab could be built. ${first?.cause ?? ''}`.trim();
  return {
    reason: NO_LAB,
    cause,
    remedy: first?.remedy ?? 'origdst capabilities --prove --json   # and report the evidence',
  };
}

/** The proofs of the inner command, by name. */
export async function proveInside(
  native: Native,
  { proofs: names, watch, keep }: InnerOptions,
  onProgress: ProveOptions['onProgress'],
): Promise<ProofResult[]> {
  const chosen = proofs.filter(({ id }) => names.includes(id));
  return runProofs(native, chosen, {
    tools: findRuleTools(),
    watch,
    keep,
    inUserNamespace: true,
    ...(onProgress ? { onProgress } : {}),
  });
}

/** A row is proven when all its proofs hold; the first that does not says why it is broken. */
function merge(row: CapabilityRow, run: Run): CapabilityRow {
  const own = run.proofs.filter(({ rows, reason }) => rows.includes(row.id) && reason !== NO_LAB);
  if (own.length === 0) return row;
  const evidence = [...row.evidence, ...place(run), ...own.flatMap(withHeading)];
  const broken = own.find(({ verdict }) => verdict === 'broken');
  if (broken === undefined)
    return { ...row, verdict: 'proven', reason: 'proven', evidence, cause: null, remedy: null };
  const held = own.filter(({ verdict }) => verdict === 'proven').map(({ id }) => id);
  const others = held.length === 0 ? '' : ` (${held.join(', ')} held.)`;
  const cause = `The proof ${broken.id} failed. ${broken.cause}${others}`;
  return { ...row, verdict: 'broken', reason: broken.reason, evidence, cause, remedy: broken.remedy };
}

/** That a user who may not do it on the host has seen it work in a user namespace of their own. */
function place(run: Run): Step[] {
  return run.where === 'user-namespace'
    ? run.evidence.map((step) => ({ ...step, detail: 'proven inside a user namespace of its own' }))
    : [];
}

function withHeading(proof: ProofResult): Step[] {
  const result = proof.verdict === 'proven' ? 0 : -1;
  const heading = {
    call: 'prove',
    target: proof.id,
    result,
    errno: null,
    errorName: null,
    detail: proof.title,
  };
  return [heading, ...proof.evidence];
}

function modules(): string[] {
  try {
    return readFileSync('/proc/modules', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[0] ?? '')
      .filter(Boolean);
  } catch {
    return [];
  }
}
