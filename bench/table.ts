/** The conntrack table of a private namespace: all of it, tuples out of it, and what changes in it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { requireNative } from '../src/native.ts';
import { readTuple } from '../src/stdin/tuple.ts';
import { EVERYTHING, readTable } from '../src/table/read.ts';
import { Records } from '../src/table/record.ts';
import { ConntrackTable, plainEntry } from '../test/support/conntrack.ts';
import { eventually } from '../test/support/eventually.ts';
import { baseline, compareTaken, printTaken, type Taken, take } from './programs.ts';

const RUN = fileURLToPath(new URL('../bin/run.js', import.meta.url));
const ENTRIES = 262_144;
const FEW = 4096;
const TUPLES = 50_000;
/** `conntrack -G` is a process for each tuple. */
const PROCESSES = 50;
const EVENTS = 100_000;
const BUFFER = 256 << 20;
const NEWLINE = 10;
const SILENCE_MS = 1500;
const ROUNDS = 7;

const origdst = (...args: string[]) => [process.execPath, RUN, ...args];

export async function benchTable(): Promise<void> {
  const native = requireNative();
  const [measured, dump, get, events] = [
    baseline('measured'),
    baseline('table-dump'),
    baseline('table-get', '-lnetfilter_conntrack'),
    baseline('table-events'),
  ];
  if (measured === null || dump === null || events === null) return;
  const table = new ConntrackTable(native);
  const inside = (command: readonly string[], input?: number): Taken =>
    native.inNamespace(table.netns, () => take(measured, command, input));
  try {
    table.change('add', 0, FEW);
    const few = await compareTaken({ few: () => inside(origdst('flows', '--all', '--jsonl')) }, 3);
    table.change('delete', 0, FEW);
    table.change('add', 0, ENTRIES);
    const listed = await compareTaken(
      {
        'conntrack -L': () => inside(['conntrack', '-L']),
        'conntrack -L -o xml': () => inside(['conntrack', '-L', '-o', 'xml']),
        'C: bare read loop': () => inside([dump]),
        'origdst flows --all': () => inside(origdst('flows', '--all')),
        'origdst flows --all --jsonl': () => inside(origdst('flows', '--all', '--jsonl')),
        'origdst flows --all --count': () => inside(origdst('flows', '--all', '--count')),
        'library, entries as bytes': () => readAll(table),
      },
      ROUNDS,
    );
    printTaken(
      `the whole table, ${ENTRIES} mixed entries`,
      listed,
      'budget: 2 x conntrack -L; 0.6 of the bare loop',
    );
    const full = listed['origdst flows --all --jsonl'];
    process.stdout.write(
      `  memory of --jsonl: ${few.few?.peak.toFixed(1)} MB for ${FEW} entries, ${full?.peak.toFixed(1)} MB for ${ENTRIES}\n`,
    );
    table.change('delete', 0, ENTRIES);

    table.change('add', 0, TUPLES, 'plain');
    if (get !== null) await benchTuples(table, inside, get);
    table.change('delete', 0, TUPLES, 'plain');
    await benchEvents(table, events);
  } finally {
    table.close();
  }
}

/** In this process, so without the start-up; memory is that of the benchmark and left out. */
async function readAll(table: ConntrackTable): Promise<Taken> {
  const [begin, used] = [performance.now(), process.cpuUsage()];
  let count = 0;
  for await (const records of readTable(requireNative(), EVERYTHING, table.netns)) count += records.count;
  const { user, system } = process.cpuUsage(used);
  if (count !== ENTRIES) throw new Error(`${count} entries were read`);
  return { wall: performance.now() - begin, cpu: (user + system) / 1000, peak: Number.NaN };
}

async function benchTuples(
  table: ConntrackTable,

  inside: (command: readonly string[], input?: number) => Taken,
  get: string,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'origdst-bench-'));
  const path = join(folder, 'tuples');
  writeFileSync(path, Array.from({ length: TUPLES }, (_, n) => line(n)).join(''));
  const scale = TUPLES / PROCESSES;
  const questions = new Records(TUPLES);
  for (let n = 0; n < TUPLES; n++) readTuple(line(n).trimEnd(), 0, questions, n);
  const results = await compareTaken(
    {
      'C: libnetfilter_conntrack, in turn': () => inside([get, String(TUPLES)]),
      'library, tuples as bytes': () => askAll(table, questions),
      'origdst lookup --stdin': () => {
        const input = openSync(path, 'r');
        const taken = inside(origdst('lookup', '--stdin'), input);
        closeSync(input);
        return taken;
      },
      'conntrack -G, a process each': () => {
        const { wall, cpu, peak } = inside(['sh', '-c', processes()]);
        return { wall: wall * scale, cpu: cpu * scale, peak };
      },
    },
    ROUNDS,
  );
  rmSync(folder, { recursive: true });
  printTaken(`${TUPLES} tuples`, results, `budget: 1.5 x C; conntrack -G from ${PROCESSES}`);
}

function line(n: number): string {
  const { peer, local } = plainEntry(n);
  return `tcp ${peer} ${local}\n`;
}

function processes(): string {
  return Array.from({ length: PROCESSES }, (_, n) => {
    const { peer, original } = plainEntry(n);
    const [[from, fromPort], [to, toPort]] = [peer.split(':'), original.split(':')];
    return `conntrack -G -p tcp -s ${from} -d ${to} --sport ${fromPort} --dport ${toPort}`;
  }).join(';');
}

/** In this process, so without the start-up; as many questions at once as there are. */
function askAll(table: ConntrackTable, questions: Records): Taken {
  const native = requireNative();
  const asked = questions.bytes.slice();
  const [begin, used] = [performance.now(), process.cpuUsage()];
  native.lookupEntries(asked, table.netns);
  const { user, system } = process.cpuUsage(used);
  const wall = performance.now() - begin;
  return { wall, cpu: (user + system) / 1000, peak: Number.NaN };
}

/** From the first new entry to the last line about one: conntrack(8) does not tell all of them. */
async function benchEvents(table: ConntrackTable, events: string): Promise<void> {
  const buffer = String(BUFFER);
  const contenders: Record<string, readonly string[]> = {
    'conntrack -E': ['conntrack', '-E', '-e', 'NEW', '-b', buffer],
    'C: counted': [events, String(EVENTS), buffer],
    'origdst flows --watch --jsonl': origdst('flows', '--watch', '--jsonl', '--buffer', buffer),
  };
  process.stdout.write(
    `\n${EVENTS} new connections, watched\n${' '.repeat(36)} wall ms    CPU ms   peak MB     lines\n`,
  );
  for (const [name, command] of Object.entries(contenders)) {
    const { wall, cpu, peak, lines } = await hear(table, command, name.startsWith('C:') ? 1 : EVENTS);
    const cells = [wall.toFixed(0).padStart(8), cpu.toFixed(0).padStart(9), peak.toFixed(1).padStart(9)];
    process.stdout.write(`  ${name.padEnd(33)} ${cells.join(' ')} ${String(lines).padStart(9)}\n`);
  }
}

/** A watcher never ends by itself: what it took is read while it still runs. */
async function hear(
  table: ConntrackTable,
  command: readonly string[],
  expected: number,
): Promise<Taken & { lines: number }> {
  const [program = '', ...args] = command;
  const child = requireNative().inNamespace(table.netns, () =>
    spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  try {
    let lines = 0;
    let last = performance.now();
    child.stdout.on('data', (bytes: Buffer) => {
      for (const byte of bytes) if (byte === NEWLINE) lines += 1;
      last = performance.now();
    });
    await eventually(
      () => isHeard(table),
      () => `${program} to listen`,
    );
    const begin = performance.now();
    await once(table.start('add', 0, EVENTS, 'plain'), 'exit');
    while (lines < expected && performance.now() - Math.max(last, begin) < SILENCE_MS) await sleep(20);
    return { wall: last - begin, lines, ...usage(child.pid ?? 0) };
  } finally {
    child.kill('SIGKILL');
    table.change('delete', 0, EVENTS, 'plain');
  }
}

/** proc(5): CPU time in hundredths of a second, peak memory in KiB. */
function usage(pid: number): Pick<Taken, 'cpu' | 'peak'> {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  const peak = /^VmHWM:\s*([0-9]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { cpu: 10 * (Number(fields[11]) + Number(fields[12])), peak: Number(peak) / 1024 };
}

/** Somebody in the namespace listens to a group of NETLINK_NETFILTER (12). */
function isHeard(table: ConntrackTable): boolean {
  const rows = table.run('cat', ['/proc/net/netlink']).split('\n');
  return rows.some((row) => {
    const [, protocol, , groups = '0'] = row.trim().split(/ +/);
    return protocol === '12' && /[1-9a-f]/.test(groups);
  });
}
