/**
 * The lab of a user who is not root: the same command once more, as root of a user namespace of its
 * own. A process with several threads, as Node is, can neither make nor enter one: unshare(1) does.
 */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Native, packageRoot } from '../native.ts';
import { LabError } from './host.ts';
import { findProgram } from './programs.ts';
import type { ProofResult } from './proof.ts';

/** The hidden flag of `capabilities` by which the inner command is known; its value is the outer one's process. */
export const INSIDE_FLAG = 'inside';

export interface InnerOptions {
  /** Identities of the proofs to run. */
  proofs: readonly string[];
  watch: boolean;
  keep: boolean;
}

export interface InnerRun {
  results: ProofResult[];
  /** Ends the inner command, and with it the labs that it keeps. */
  end(): void;
}

/** @throws {LabError} when the inner command could not do its work */
export async function runInside(options: InnerOptions): Promise<InnerRun> {
  const unshare = findProgram('unshare');
  if (unshare === null) throw new LabError('unshare is not installed', null, 'apt-get install util-linux');
  const inner = [
    process.execPath,
    ...process.execArgv,
    entry(),
    'capabilities',
    `--${INSIDE_FLAG}=${process.pid}`,
  ];
  const child = spawn(unshare, ['--user', '--map-root-user', '--net', '--', ...inner], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(options));
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  for await (const line of createInterface({ input: child.stdout })) {
    return { results: JSON.parse(line), end: () => void child.kill('SIGKILL') };
  }
  throw new LabError(`the command inside the user namespace ended without an answer: ${await ended}`);
}

/** The program that this code is part of: bundled or compiled, or the sources as they are. */
function entry(): string {
  return join(packageRoot(), 'bin', import.meta.url.endsWith('.ts') ? 'dev.js' : 'run.js');
}

/** The inner command: answers one line, and stays while its labs are to be kept. */
export async function answerInside(
  native: Native,
  outer: number,
  prove: (options: InnerOptions) => Promise<ProofResult[]>,
): Promise<void> {
  // However the outer command ends, also by SIGKILL: nothing stays behind.
  if (!native.endWithParent(outer)) return;
  let question = '';
  for await (const text of process.stdin.setEncoding('utf8')) question += text;
  const options = JSON.parse(question) as InnerOptions;
  const results = await prove(options);
  process.stdout.write(`${JSON.stringify(results)}\n`);
  if (options.keep) setInterval(() => {}, 1 << 30);
}
