/** The one interface that every mechanism implements. */

import type {
  Attempt,
  CapabilityVerdict,
  Conclusion,
  Endpoint,
  LookupVerdict,
  MechanismName,
  Os,
  Protocol,
  Question,
  Step,
} from './verdict.ts';

/** What a mechanism may know of the host, beyond the steps of its own attempt. */
export interface HostContext {
  /** The system that answers. Its commands and devices differ, and so do its error names. */
  readonly os?: Os;
  /** Value of a kernel build option, null where it cannot be read. */
  kernelOption(name: string): 'y' | 'm' | 'n' | null;
  /** Does a file of /proc or /sys exist? As a step, because the answer is evidence. */
  exists(path: string): Step;
  /** Does a list of /proc (modules, tables, …) have a line that begins with this word? */
  lists(path: string, word: string): Step;
}

/** A connection that was asked about, as the intercepting host sees it. */
export interface LookupAttempt extends Attempt {
  /** The system that answered, for remedies in its own words. */
  os?: Os;
  protocol: Protocol | 'mptcp';
  peer: Endpoint | null;
  local: Endpoint | null;
  /** Linux conntrack zone of the entry that answered. */
  zone: number;
}

export interface Mechanism {
  readonly name: MechanismName;
  /** A few words for the head of a table. */
  readonly title: string;
  readonly os: readonly Os[];
  /** Does the kernel's own state assert the translation, or does only the socket's name suggest it? */
  readonly evidence: 'kernel-state' | 'socket-name';
  /** The rows of the matrix that this mechanism can have at all. */
  readonly questions: readonly Question[];
  /** Files of /proc and /sys that show its presence even where the kernel cannot be asked. */
  readonly traces: readonly string[];
  /** Asked only when it is named: its answers are another's as well, or asking leaves traces in the kernel log. */
  readonly onlyByName?: true;
  /** What the kernel does, in a paragraph. */
  readonly explain: string;

  /** May the probe be made without side effects now? Steps that say why not, or null. */
  refuseProbe?(question: Question, host: HostContext): RefusedProbe | null;
  /** Absent where this build has no backend to probe with. */
  concludeProbe?(question: Question, attempt: Attempt, host: HostContext): ProbeConclusion;
  /** Absent where the mechanism has no lookup. */
  concludeLookup?(attempt: LookupAttempt): Conclusion<LookupVerdict>;
}

export interface RefusedProbe extends Conclusion<CapabilityVerdict> {
  steps: Step[];
}

/** A conclusion, with steps of its own where the host had to be read for it. */
export interface ProbeConclusion extends Conclusion<CapabilityVerdict> {
  steps?: Step[];
}

/** All combinations, in the order of the published rows. */
export function questions(
  operations: readonly Question['operation'][],
  families: readonly Question['family'][],
  protocols: readonly Question['protocol'][],
): Question[] {
  return operations.flatMap((operation) =>
    families.flatMap((family) => protocols.map((protocol) => ({ operation, family, protocol }))),
  );
}

/** The identity of a row, as `--require` and the JSON name it: `netfilter.lookup.ipv4.tcp`. */
export function rowId(mechanism: MechanismName, question: Question): string {
  return `${mechanism}.${question.operation}.ipv${question.family}.${question.protocol}`;
}
