/** What the checks read of a BSD host: its own tools and its device nodes. Changes and loads nothing. */

import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import type { Step } from '../../verdict.ts';

export interface Run {
  /** Output, null where the program could not be run or failed. */
  output: string | null;
  step: Step;
}

export interface Node {
  /** Permission bits, null where there is no such node. */
  mode: number | null;
  step: Step;
}

export interface BsdReadings {
  run(command: string): Run;
  device(path: string): Node;
}

export const liveBsdReadings: BsdReadings = {
  run(command) {
    const [program = '', ...args] = command.split(' ');
    const run = spawnSync(program, args, { encoding: 'utf8', timeout: 5000, maxBuffer: 1 << 24 });
    const code = (run.error as NodeJS.ErrnoException | undefined)?.code ?? null;
    const failed = code !== null || run.status !== 0;
    const step: Step = {
      call: 'run',
      target: command,
      result: run.status ?? -1,
      errno: null,
      errorName: code,
      detail: failed ? ((run.stderr ?? '').trim().split('\n')[0] ?? '') : '',
    };
    return { output: failed ? null : run.stdout, step };
  },
  device(path) {
    try {
      const mode = statSync(path).mode & 0o777;
      return { mode, step: stat(path, null, `mode ${mode.toString(8).padStart(4, '0')}`) };
    } catch (error) {
      return { mode: null, step: stat(path, (error as NodeJS.ErrnoException).code ?? 'ENOENT', '') };
    }
  },
};

function stat(target: string, errorName: string | null, detail: string): Step {
  return { call: 'stat', target, result: errorName === null ? 0 : -1, errno: null, errorName, detail };
}
