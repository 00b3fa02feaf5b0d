/**
 * A proxy in a process of its own: accepts, holds what it accepted, says how many. Started inside a
 * namespace by `startListener`; run as a program it reads its settings from the environment.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { LabHost } from '../../src/lab/host.ts';
import { type Native, requireNative } from '../../src/native.ts';
import type { Family } from '../../src/verdict.ts';

export interface ListenerOptions {
  /** 4: an IPv4 socket. 6: dual-stack. */
  family: Family;
  port: number;
  transparent: boolean;
  /** Name of the process, at most 15 characters. */
  title: string;
}

export interface Listener {
  pid: number;
  /** Resolves once `count` connections are accepted. */
  accepted(count: number): Promise<void>;
  /** Lets the listener send a byte on every connection. */
  speak(): void;
  stop(): Promise<void>;
}

const SOL_IP = 0;
const SOL_IPV6 = 41;
const IP_TRANSPARENT = 19;
const IPV6_TRANSPARENT = 75;

export async function startListener(
  native: Native,
  host: LabHost,
  options: ListenerOptions,
): Promise<Listener> {
  const child: ChildProcess = native.inNamespace(host.netns, () =>
    spawn(process.execPath, [fileURLToPath(import.meta.url)], {
      env: { ...process.env, ODST_LISTENER: JSON.stringify(options) },
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  );
  let count = -1;
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    count += text.split('\n').length - 1;
    child.emit('counted');
  });
  const reached = async (wanted: number) => {
    while (count < wanted) await once(child, 'counted', { signal: AbortSignal.timeout(10_000) });
  };
  await reached(0);
  return {
    pid: child.pid ?? 0,
    accepted: reached,
    speak: () => void child.stdin?.write('speak\n'),
    stop: async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

function serve({ family, port, transparent, title }: ListenerOptions): void {
  process.title = title;
  const native = requireNative();
  const { fd } = native.openSocket(family, 'tcp');
  if (fd === null) throw new Error('no socket');
  if (transparent) {
    if (family === 4) native.setOption(fd, SOL_IP, IP_TRANSPARENT, 1);
    else native.setOption(fd, SOL_IPV6, IPV6_TRANSPARENT, 1);
  }
  native.bind(fd, { address: family === 4 ? '0.0.0.0' : '::', port });
  const held: Socket[] = [];
  createServer((socket) => {
    socket.on('error', () => socket.destroy());
    held.push(socket);
    process.stdout.write('accepted\n');
  }).listen({ fd }, () => process.stdout.write('ready\n'));
  process.stdin.on('data', () => {
    for (const socket of held) socket.write('x');
  });
  process.stdin.on('end', () => process.exit());
}

if (process.env.ODST_LISTENER !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) {
  serve(JSON.parse(process.env.ODST_LISTENER));
}
