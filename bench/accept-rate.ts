/** Connections a second that listen-test accepts, asks about and shows, beside accept + getsockopt in C. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LabHost } from '../src/lab/host.ts';
import { Lab, SERVER } from '../src/lab/lab.ts';
import { requireNative } from '../src/native.ts';

const RUN = fileURLToPath(new URL('../bin/run.js', import.meta.url));
const SOURCE = fileURLToPath(new URL('./accept-rate.c', import.meta.url));
/** Fewer than a listener's queue holds (net.core.somaxconn): nobody waits for a second SYN. */
const CONNECTIONS = 4000;
const ROUNDS = 7;
/** The last one is timed: by then the JavaScript has been compiled. */
const WAVES = 3;
const PORT = '8110';
const RULES = `table ip bench {
  chain pre { type nat hook prerouting priority dstnat; tcp dport 80 redirect to :${PORT}
  }
}
`;

export async function benchAcceptRate(): Promise<void> {
  const native = requireNative();
  const folder = mkdtempSync(join(tmpdir(), 'origdst-bench-'));
  const lab = new Lab(native, [4]);
  try {
    lab.gateway.run('nft', ['-f', '-'], RULES);
    const program = join(folder, 'accept-rate');
    execFileSync('cc', ['-O2', '-o', program, SOURCE]);
    const start = (host: LabHost, command: string, args: readonly string[]) =>
      native.inNamespace(host.netns, () => spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] }));
    const count = String(CONNECTIONS);
    const options = ['--address', '0.0.0.0', '--port', PORT, '--count', String(CONNECTIONS * WAVES)];
    const servers = {
      'C: accept, getsockopt': {
        serve: () => start(lab.gateway, program, ['serve', PORT, count, String(WAVES)]),
        accepted: (lines: number) => (lines - 1) * CONNECTIONS, // after “ready”
      },
      'origdst listen-test': {
        serve: () => start(lab.gateway, process.execPath, [RUN, 'listen-test', ...options]),
        accepted: (lines: number) => lines - 2, // after the place and the head
      },
    };
    const rates: Record<string, number[]> = {};
    for (let round = -1; round < ROUNDS; round++) {
      for (const [name, { serve, accepted }] of Object.entries(servers)) {
        const rate = await measure(serve(), accepted, () =>
          start(lab.client, program, ['storm', SERVER[4], '80', count]),
        );
        if (round >= 0) rates[name] = [...(rates[name] ?? []), rate];
      }
    }
    print(rates);
  } finally {
    lab.close();
    rmSync(folder, { recursive: true });
  }
}

/** From the first connect of the last wave to the word that its last connection was accepted. */
async function measure(
  server: ChildProcess,
  accepted: (lines: number) => number,
  attack: () => ChildProcess,
): Promise<number> {
  const ended = once(server, 'close');
  const clients: ChildProcess[] = [];
  let lines = 0;
  let begin = performance.now();
  for await (const text of server.stdout?.setEncoding('utf8') ?? []) {
    lines += text.split('\n').length - 1;
    if (accepted(lines) < clients.length * CONNECTIONS) continue;
    if (clients.length === WAVES) break;
    begin = performance.now();
    clients.push(attack());
  }
  const seconds = (performance.now() - begin) / 1000;
  server.stdout?.resume();
  for (const client of clients) client.stdin?.end();
  await Promise.all([ended, ...clients.map((client) => client.exitCode ?? once(client, 'close'))]);
  return CONNECTIONS / seconds;
}

function print(rates: Record<string, number[]>): void {
  process.stdout.write('\naccept rate, connections a second (aim 0.5 x)\n');
  let baseline = Number.NaN;
  for (const [name, list] of Object.entries(rates)) {
    const median = list.toSorted((a, b) => a - b)[list.length >> 1] ?? Number.NaN;
    if (Number.isNaN(baseline)) baseline = median;
    process.stdout.write(
      `  ${name.padEnd(34)} ${median.toFixed(0).padStart(8)} /s ${(median / baseline).toFixed(2).padStart(7)} x\n`,
    );
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await benchAcceptRate();
