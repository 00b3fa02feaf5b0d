/**
 * A packet’s real way through this host’s rules, by nftables tracing: nft(8), MONITOR.
 *
 * The rules that switch the tracing on are in a table of their own with the `owner` flag (Linux 5.12):
 * it belongs to the netlink socket of the `nft -i` that made it, and the kernel removes it with that
 * socket. That process ends with its standard input, and so with this one, however this one ends.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ExitCode, Failure } from '../exit-codes.ts';
import type { Native } from '../native.ts';
import type { Protocol } from '../verdict.ts';
import { type TracedPacket, TraceReport } from './trace-report.ts';

export interface TraceFlow {
  protocol: Protocol;
  /** A port of null: any. */
  source: { address: string; port: number | null };
  destination: { address: string; port: number | null };
}

export interface Trace {
  flow: TraceFlow;
  packets: TracedPacket[];
  /** `packets`: enough were seen; `time`: it ended before. */
  ended: 'packets' | 'time';
}

export interface TraceLimits {
  seconds: number;
  packets: number;
}

/** What nft says is read: in no language but C's. */
const ENV = { ...process.env, LC_ALL: 'C' };
const SETUP_MS = 3000;
/** Stations of one packet are reported together: when none comes for so long, the last one is complete. */
const SETTLED_MS = 150;
const INTERVAL_MS = 20;
/** More packets than this are not traced in a second, however busy the flow is. */
const RATE = 20;

/** @throws {SyntaxError} unless the text is like `tcp 192.0.2.2:* 198.51.100.2:80` */
export function parseFlow(text: string): TraceFlow {
  const words = text.trim().split(/\s+/);
  const [protocol, from, to] = words;
  if (
    (protocol !== 'tcp' && protocol !== 'udp') ||
    from === undefined ||
    to === undefined ||
    words.length > 3
  ) {
    throw new SyntaxError(
      `'${text}' is not PROTOCOL ADDRESS:PORT ADDRESS:PORT, e.g. tcp 192.0.2.2:* 198.51.100.2:80`,
    );
  }
  const [source, destination] = [parsePlace(from), parsePlace(to)];
  if (isIP(source.address) !== isIP(destination.address)) {
    throw new SyntaxError(`'${text}' has addresses of different families`);
  }
  return { protocol, source, destination };
}

function parsePlace(text: string): { address: string; port: number | null } {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\*|[0-9]+)$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? '';
  const port = match?.[3] === '*' ? 0 : Number(match?.[3]);
  if (isIP(address) === 0 || !(port <= 65535)) {
    throw new SyntaxError(`'${text}' is not ADDRESS:PORT or [IPV6]:PORT (a port of * is any)`);
  }
  return { address, port: port === 0 ? null : port };
}

/**
 * Watches until enough packets of the flow came by, in either direction, or the time is up.
 * @param netns namespace whose rules are meant, null for this process’s own
 * @throws {Failure} when this user or kernel may not trace; nothing is left behind
 */
export async function traceFlow(
  native: Native,
  netns: number | null,
  flow: TraceFlow,
  limits: TraceLimits,
): Promise<Trace> {
  const inside = <T>(run: () => T): T => (netns === null ? run() : native.inNamespace(netns, run));
  const table = `origdst_trace_${process.pid}`;
  const report = new TraceReport(table);
  // The monitor has nothing of its own in the kernel but a subscription; it is killed with this process.
  const monitor = inside(() =>
    spawn('setpriv', ['--pdeathsig', 'KILL', 'nft', 'monitor', 'trace'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: ENV,
    }),
  );
  const owner = inside(() => spawn('nft', ['-i'], { stdio: ['pipe', 'pipe', 'pipe'], env: ENV }));
  try {
    let last = 0;
    onLines(monitor, (line) => {
      last = performance.now();
      report.add(line);
    });
    await subscribed(monitor, inside);
    await setUp(owner, table, flow);
    const end = performance.now() + limits.seconds * 1000;
    const isEnough = () => report.packets.length >= limits.packets && performance.now() - last > SETTLED_MS;
    while (performance.now() < end && !isEnough() && monitor.exitCode === null) await sleep(INTERVAL_MS);
    const ended = report.packets.length >= limits.packets ? 'packets' : 'time';
    return { flow, packets: report.packets.slice(0, limits.packets), ended };
  } finally {
    await Promise.all([finish(owner), finish(monitor)]);
  }
}

/** Has the monitor joined NFNLGRP_NFTRACE? Before, the kernel tells it nothing. proc(5): /proc/net/netlink. */
async function subscribed(monitor: ChildProcess, inside: <T>(run: () => T) => T): Promise<void> {
  const NETLINK_NETFILTER = 12;
  const NFTRACE = 1 << 8;
  const failed = refusal(monitor);
  const end = performance.now() + SETUP_MS;
  while (performance.now() < end) {
    failed();
    const joined = inside(() => readFileSync('/proc/thread-self/net/netlink', 'utf8'))
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .some(
        ([, protocol, port, groups]) =>
          Number(protocol) === NETLINK_NETFILTER &&
          Number(port) === monitor.pid &&
          (Number.parseInt(groups ?? '0', 16) & NFTRACE) !== 0,
      );
    if (joined) return;
    await sleep(INTERVAL_MS);
  }
  throw new Failure(ExitCode.notHere, 'nft monitor trace did not start in time', 'nft monitor trace');
}

/** Makes the table, and reads it back: only then it is there. */
async function setUp(owner: ChildProcess, table: string, flow: TraceFlow): Promise<void> {
  const failed = refusal(owner);
  let output = '';
  owner.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  owner.stdin?.on('error', () => undefined);
  const chains = ['prerouting', 'output'].flatMap((hook) => [
    `add chain inet ${table} ${hook} { type filter hook ${hook} priority -350; }`,
    ...[flow, turned(flow)].map(
      (one) => `add rule inet ${table} ${hook} ${match(one)} limit rate ${RATE}/second meta nftrace set 1`,
    ),
  ]);
  owner.stdin?.write(
    `${[`add table inet ${table} { flags owner; }`, ...chains, `list table inet ${table}`].join('\n')}\n`,
  );
  const end = performance.now() + SETUP_MS;
  while (performance.now() < end) {
    failed();
    if ((output.match(/nftrace set 1/g) ?? []).length === 4) return;
    await sleep(INTERVAL_MS);
  }
  throw new Failure(ExitCode.notHere, 'nft -i did not set up the trace in time', 'nft -i');
}

function turned({ protocol, source, destination }: TraceFlow): TraceFlow {
  return { protocol, source: destination, destination: source };
}

function match({ protocol, source, destination }: TraceFlow): string {
  const family = isIP(source.address) === 6 ? 'ip6' : 'ip';
  const ports = [
    ...(source.port === null ? [] : [`${protocol} sport ${source.port}`]),
    ...(destination.port === null ? [] : [`${protocol} dport ${destination.port}`]),
  ];
  const any = ports.length === 0 ? [`meta l4proto ${protocol}`] : ports;
  return [`${family} saddr ${source.address}`, `${family} daddr ${destination.address}`, ...any].join(' ');
}

/** Throws what a tool complained of, once it did. */
function refusal(child: ChildProcess): () => void {
  let words = '';
  let code: string | null = null;
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words += text;
  });
  child.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code ?? 'EIO';
  });
  return () => {
    if (code !== null) {
      throw new Failure(
        ExitCode.notHere,
        `tracing needs nft and setpriv: ${code}`,
        'apt-get install nftables util-linux',
      );
    }
    if (words === '' && child.exitCode === null) return;
    const [first = `exit ${child.exitCode}`] = words.trim().split('\n');
    if (/operation not permitted|you must be root|permission denied/i.test(words)) {
      throw new Failure(
        ExitCode.notPermitted,
        `tracing takes CAP_NET_ADMIN: nft says ${first}`,
        'run the same command as root (sudo)',
      );
    }
    throw new Failure(
      ExitCode.notHere,
      `tracing needs Linux 5.12 and nft 0.9.9: nft says ${first}`,
      'nft --version; uname -r',
    );
  };
}

function onLines(child: ChildProcess, each: (line: string) => void): void {
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) each(line);
  });
}

/** Ends a tool and waits until it is gone, and with it what it held. */
async function finish(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  child.stdin?.end();
  child.kill('SIGKILL');
  while (child.exitCode === null && child.signalCode === null) await sleep(INTERVAL_MS);
}
