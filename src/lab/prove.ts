/** Runs proofs, each in a lab of its own, and says what came of them. */

import type { Native } from '../native.ts';
import type { Step } from '../verdict.ts';
import { diagnose } from './diagnose.ts';
import { LabError, type LabHost } from './host.ts';
import { Lab } from './lab.ts';
import type { Proof, ProofResult } from './proof.ts';
import type { RuleTool } from './rule-tool.ts';
import { ProofFailed, Stage, type Tampering } from './stage.ts';

/** The reason of a proof that never began. */
export const NO_LAB = 'no-lab';

export interface RunOptions {
  tools: readonly RuleTool[];
  /** Note the packets that pass the gateway. */
  watch?: boolean;
  /** Do not take the labs down; they go with this process. */
  keep?: boolean;
  /** The labs belong to a user namespace, which must be entered first. */
  inUserNamespace?: boolean;
  tampering?: Tampering;
  onProgress?(done: number, total: number, proof: Proof): void;
}

/** More at once only wait for the kernel's one lock on network devices (rtnl_mutex). */
const AT_ONCE = 4;

export async function runProofs(
  native: Native,
  proofs: readonly Proof[],
  options: RunOptions,
): Promise<ProofResult[]> {
  const results: ProofResult[] = [];
  const waiting = proofs.entries();
  let done = 0;
  const work = async () => {
    for (const [index, proof] of waiting) {
      options.onProgress?.(done, proofs.length, proof);
      results[index] = await runProof(native, proof, options);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}

export async function runProof(native: Native, proof: Proof, options: RunOptions): Promise<ProofResult> {
  let lab: Lab;
  try {
    lab = new Lab(native, proof.families);
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    return {
      ...blank(proof),
      verdict: 'broken',
      reason: NO_LAB,
      ...explained(error),
      evidence: stepOf(error),
    };
  }
  const stage = new Stage(native, lab, options.tools, options.tampering);
  try {
    if (options.watch) stage.watch();
    await proof.run(stage);
    return {
      ...record(proof, stage, options),
      verdict: 'proven',
      reason: 'proven',
      cause: null,
      remedy: null,
    };
  } catch (error) {
    if (!(error instanceof ProofFailed || error instanceof LabError)) throw error;
    const found = await conclude(stage, error);
    return { ...record(proof, stage, options), verdict: 'broken', ...found };
  } finally {
    if (!options.keep) stage.close();
  }
}

/** Failures that are their own cause: a control that proved what it must not, an address that was refused. */
const SELF_EXPLAINED = ['control-succeeded', 'sender-not-transparent'];

/** What was seen, and why. */
async function conclude(
  stage: Stage,
  error: ProofFailed | LabError,
): Promise<Pick<ProofResult, 'reason' | 'cause' | 'remedy'>> {
  if (error instanceof LabError) return { reason: 'lab-refused', ...explained(error) };
  const finding = SELF_EXPLAINED.includes(error.reason) ? null : await diagnose(stage);
  if (finding === null) {
    return {
      reason: error.reason,
      cause: sentence(error.message),
      remedy: 'origdst capabilities --prove --verbose   # shows the packets',
    };
  }
  for (const step of finding.steps) stage.note(step, step.target);
  return {
    reason: finding.reason,
    cause: `${sentence(error.message)} ${finding.cause}`,
    remedy: finding.remedy,
  };
}

function explained(error: LabError): Pick<ProofResult, 'cause' | 'remedy'> {
  return { cause: sentence(error.message), remedy: error.remedy };
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function stepOf(error: LabError): Step[] {
  const { step, message } = error;
  return [
    step ?? {
      call: 'lab',
      target: 'client, gateway, server',
      result: -1,
      errno: null,
      errorName: null,
      detail: message,
    },
  ];
}

type Facts = Omit<ProofResult, 'verdict' | 'reason' | 'cause' | 'remedy'>;

function blank(proof: Proof): Facts {
  const { id, title, rows } = proof;
  return { id, title, rows, tool: null, evidence: [], topology: [], rules: [], packets: [], enter: [] };
}

function record(proof: Proof, stage: Stage, options: RunOptions): Facts {
  stage.notePackets('with the rules');
  return {
    ...blank(proof),
    tool: stage.tool?.name ?? null,
    evidence: stage.steps,
    topology: stage.lab.topology(),
    rules: stage.rulesText,
    packets: stage.packets,
    enter: options.keep ? stage.lab.hosts.map((host) => enterCommand(host, options)) : [],
  };
}

/** A user namespace that one is in already cannot be entered again: setns(2), EINVAL. */
function enterCommand(host: LabHost, { inUserNamespace }: RunOptions): string {
  const user = inUserNamespace ? `--preserve-credentials --user=/proc/${process.pid}/ns/user ` : '';
  return `nsenter ${user}--net=${host.path}   # ${host.name}`;
}
