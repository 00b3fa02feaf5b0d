/** The C baselines of this folder, compiled when a benchmark needs them. */

import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../build/bench', import.meta.url));

/** The path of bench/NAME.c's program, null (and a word why) where a library that it needs is not here. */
export function baseline(name: string, ...libraries: string[]): string | null {
  mkdirSync(FOLDER, { recursive: true });
  const program = `${FOLDER}/${name}`;
  const source = fileURLToPath(new URL(`./${name}.c`, import.meta.url));
  const { status, stderr } = spawnSync(
    'cc',
    ['-O2', '-Wall', '-Wextra', '-o', program, source, ...libraries],
    {
      encoding: 'utf8',
    },
  );
  if (status === 0) return program;
  if (libraries.length === 0) throw new Error(stderr);
  process.stdout.write(
    `\nno ${name}: ${libraries.join(' ')} is missing; apt-get install libnetfilter-conntrack-dev\n`,
  );
  return null;
}

export interface Taken {
  /** Milliseconds. */
  wall: number;
  cpu: number;
  /** Of memory, in MB. */
  peak: number;
}

/** Runs a command in silence: how long it took, and how much memory at most. */
export function take(measured: string, command: readonly string[], input?: number): Taken {
  const { stdout, status } = spawnSync(measured, command, {
    encoding: 'utf8',
    stdio: [input ?? 'ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${command.join(' ').slice(0, 200)} could not be run`);
  const [wall = 0, cpu = 0, peak = 0] = stdout.split(' ').map(Number);
  return { wall: wall / 1e6, cpu: cpu / 1e6, peak: peak / 1024 };
}

/** Interleaved rounds, so that a busy machine slows all of them alike; of each the median. */
export function compareTaken(
  contenders: Record<string, () => Taken | Promise<Taken>>,
  rounds: number,
): Promise<Record<string, Taken>> {
  return (async () => {
    const all: Record<string, Taken[]> = {};
    for (let round = -1; round < rounds; round++) {
      for (const [name, run] of Object.entries(contenders)) {
        const taken = await run();
        if (round >= 0) all[name] = [...(all[name] ?? []), taken];
      }
    }
    return Object.fromEntries(Object.entries(all).map(([name, list]) => [name, medianOf(list)]));
  })();
}

function medianOf(list: readonly Taken[]): Taken {
  const of = (key: keyof Taken) =>
    list.map((taken) => taken[key]).sort((a, b) => a - b)[list.length >> 1] ?? Number.NaN;
  return { wall: of('wall'), cpu: of('cpu'), peak: of('peak') };
}

/** Ratios to the first one: how many times as fast, by the clock and by CPU time. */
export function printTaken(title: string, results: Record<string, Taken>, budget: string): void {
  process.stdout.write(`\n${title} (${budget})\n`);
  const [first] = Object.values(results);
  if (first === undefined) return;
  process.stdout.write(`${' '.repeat(36)} wall ms  as fast    CPU ms  as fast   peak MB\n`);
  for (const [name, { wall, cpu, peak }] of Object.entries(results)) {
    const cells = [
      wall.toFixed(1).padStart(8),
      `${(first.wall / wall).toFixed(2)} x`.padStart(8),
      cpu.toFixed(1).padStart(9),
      `${(first.cpu / cpu).toFixed(2)} x`.padStart(8),
      (Number.isNaN(peak) ? '-' : peak.toFixed(1)).padStart(9),
    ];
    process.stdout.write(`  ${name.padEnd(33)} ${cells.join(' ')}\n`);
  }
}
