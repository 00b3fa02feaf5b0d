/** One socket, and many: the library beside a loop of getsockopt in C. */

import { spawnSync } from 'node:child_process';
import { Lab } from '../src/lab/lab.ts';
import { lookupMany, originalDestination } from '../src/library/original-destination.ts';
import { requireNative } from '../src/native.ts';
import { baseline } from './programs.ts';
import { connectRedirected } from './startup.ts';

const COUNT = 300_000;
const ROUNDS = 9;

export function benchSockets(): void {
  const program = baseline('socket-option');
  if (program === null) return;
  const lab = new Lab(requireNative(), [4]);
  const fd = connectRedirected(requireNative(), lab);
  const fds = new Int32Array(COUNT).fill(fd);
  const contenders: Record<string, () => number> = {
    'C: getsockopt': () =>
      Number(
        spawnSync(program, [String(COUNT)], { stdio: ['ignore', 'pipe', 'inherit', fd], encoding: 'utf8' })
          .stdout,
      ),
    'originalDestination(fd)': () =>
      each(() => {
        for (let n = 0; n < COUNT; n++) originalDestination(fd);
      }),
    'lookupMany(fds)': () => each(() => void lookupMany(fds)),
  };
  const times: Record<string, number[]> = {};
  for (let round = -1; round < ROUNDS; round++) {
    for (const [name, run] of Object.entries(contenders)) {
      const taken = run();
      if (round >= 0) times[name] = [...(times[name] ?? []), taken];
    }
  }
  lab.close();
  process.stdout.write('\nsockets, a system call each (budget: one 0.6 of C, many 0.9)\n');
  const median = (list: number[]) => list.sort((a, b) => a - b)[list.length >> 1] ?? Number.NaN;
  const first = median(times['C: getsockopt'] ?? []);
  for (const [name, list] of Object.entries(times)) {
    const own = median(list);
    process.stdout.write(
      `  ${name.padEnd(33)} ${own.toFixed(0).padStart(8)} ns ${(first / own).toFixed(2).padStart(7)} x\n`,
    );
  }
}

/** Nanoseconds for each. */
function each(run: () => void): number {
  const begin = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - begin) / COUNT;
}
