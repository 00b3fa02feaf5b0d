/** Times commands side by side: interleaved rounds, so that a busy machine slows all of them alike. */

import { spawnSync } from 'node:child_process';

export interface Contender {
  name: string;
  command: string;
  args: readonly string[];
  /** Descriptor to hand on as the child's descriptor 3. */
  fd?: number;
}

export interface Timing {
  name: string;
  /** Median wall time of one run, in milliseconds. */
  median: number;
  /** How many times the first contender's median. */
  ratio: number;
}

/** The first contender is the baseline. */
export function compare(contenders: readonly Contender[], rounds: number): Timing[] {
  const times = contenders.map((): number[] => []);
  for (let round = -2; round < rounds; round++) {
    contenders.forEach(({ command, args, fd }, at) => {
      const begin = process.hrtime.bigint();
      const { error } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'ignore', fd ?? 'ignore'] });
      if (error !== undefined) throw error;
      if (round >= 0) times[at]?.push(Number(process.hrtime.bigint() - begin) / 1e6);
    });
  }
  const medians = times.map((list) => list.sort((a, b) => a - b)[list.length >> 1] ?? Number.NaN);
  return contenders.map(({ name }, at) => ({
    name,
    median: medians[at] ?? Number.NaN,
    ratio: (medians[at] ?? Number.NaN) / (medians[0] ?? Number.NaN),
  }));
}

export function print(title: string, timings: readonly Timing[], budget: string): void {
  process.stdout.write(`\n${title} (${budget})\n`);
  for (const { name, median, ratio } of timings) {
    process.stdout.write(
      `  ${name.padEnd(34)} ${median.toFixed(1).padStart(8)} ms ${ratio.toFixed(2).padStart(7)} x\n`,
    );
  }
}
