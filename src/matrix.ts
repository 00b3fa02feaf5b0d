/** The capability matrix: asks every mechanism its questions and keeps what they answered. */

import { type HostFacts, hostContext, hostFacts, isThisOs, systemStep } from './host/context.ts';
import { type HostContext, type Mechanism, rowId } from './mechanism.ts';
import { type Native, NativeMissing } from './native.ts';
import type { ProofReport } from './prove.ts';
import type {
  CapabilityVerdict,
  Conclusion,
  MechanismName,
  Operation,
  Protocol,
  Question,
  Step,
} from './verdict.ts';

export interface CapabilityRow {
  /** `netfilter.lookup.ipv4.tcp` */
  id: string;
  mechanism: MechanismName;
  operation: Operation;
  family: 'ipv4' | 'ipv6';
  protocol: Protocol;
  verdict: CapabilityVerdict;
  /** Stable word for scripts. */
  reason: string;
  evidence: Step[];
  cause: string | null;
  remedy: string | null;
}

export interface CapabilityReport {
  schema: 'origdst.capabilities/1';
  host: HostFacts;
  /** Is the native module there? Without it nothing can be asked, only /proc be read. */
  native: { loaded: boolean; cause: string | null; remedy: string | null };
  results: CapabilityRow[];
  /** Rows per verdict. */
  summary: Record<CapabilityVerdict, number>;
  /** What `--prove` did. */
  proof?: ProofReport;
}

/** Probes every row of `mechanisms`. Free of side effects; takes a few milliseconds. */
export function survey(native: Native | NativeMissing, mechanisms: readonly Mechanism[]): CapabilityReport {
  const host = hostFacts();
  const context = hostContext();
  const results = mechanisms.flatMap((mechanism) =>
    mechanism.questions.map((question) =>
      row(mechanism, question, answer(native, mechanism, question, host, context)),
    ),
  );
  const missing = native instanceof NativeMissing ? native : null;
  return {
    schema: 'origdst.capabilities/1',
    host,
    native: { loaded: missing === null, cause: missing?.message ?? null, remedy: missing?.remedy ?? null },
    results,
    summary: summarize(results),
  };
}

/** Rows per verdict, every verdict named. */
export function summarize(rows: readonly CapabilityRow[]): Record<CapabilityVerdict, number> {
  const summary: Record<CapabilityVerdict, number> = {
    proven: 0,
    available: 0,
    denied: 0,
    absent: 0,
    shadowed: 0,
    broken: 0,
    'other-os': 0,
    unknown: 0,
  };
  for (const { verdict } of rows) summary[verdict] += 1;
  return summary;
}

interface Answer extends Conclusion<CapabilityVerdict> {
  evidence: Step[];
}

function row(mechanism: Mechanism, question: Question, given: Answer): CapabilityRow {
  return {
    id: rowId(mechanism.name, question),
    mechanism: mechanism.name,
    operation: question.operation,
    family: `ipv${question.family}`,
    protocol: question.protocol,
    verdict: given.verdict,
    reason: given.reason,
    evidence: given.evidence,
    cause: given.cause,
    remedy: given.remedy,
  };
}

function answer(
  native: Native | NativeMissing,
  mechanism: Mechanism,
  question: Question,
  host: HostFacts,
  context: HostContext,
): Answer {
  if (!isThisOs(host, mechanism.os)) {
    return {
      verdict: 'other-os',
      reason: 'other-os',
      cause: `A mechanism of ${mechanism.os.join(', ')}; this host runs ${host.os}.`,
      remedy: null,
      evidence: [systemStep(host)],
    };
  }
  if (native instanceof NativeMissing) return withoutNative(native, mechanism, context);
  if (mechanism.concludeProbe === undefined || !native.mechanisms().includes(mechanism.name)) {
    return {
      verdict: 'unknown',
      reason: 'no-backend',
      cause: `This build of origdst has no backend for ${mechanism.name}.`,
      remedy: null,
      evidence: [systemStep(host)],
    };
  }
  const refused = mechanism.refuseProbe?.(question, context) ?? null;
  if (refused !== null) return { ...refused, evidence: refused.steps };
  const attempt = native.probe(mechanism.name, question);
  const { steps = [], ...conclusion } = mechanism.concludeProbe(question, attempt, context);
  return { ...conclusion, evidence: [...attempt.steps, ...steps] };
}

/** No addon: the traces that a mechanism leaves in /proc are read, and the verdict stays open. */
function withoutNative(native: NativeMissing, mechanism: Mechanism, context: HostContext): Answer {
  const traces = mechanism.traces.map((path) => context.exists(path));
  const seen = traces.filter((step) => step.errno === null).map((step) => step.target);
  const hint = seen.length === 0 ? 'nothing of it shows in /proc' : `${seen.join(' and ')} is there`;
  return {
    verdict: 'unknown',
    reason: 'native-missing',
    cause: `The kernel could not be asked (${native.message}); ${hint}.`,
    remedy: native.remedy,
    evidence: [
      {
        call: 'dlopen',
        target: 'origdst.node',
        result: -1,
        errno: null,
        errorName: null,
        detail: native.message,
      },
      ...traces,
    ],
  };
}
