/** `origdst spoof-connect` on the gateway of a lab, against a server that says whom it sees. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { endpoint, formatEndpoint } from '../../src/endpoint.ts';
import type { LabHost } from '../../src/lab/host.ts';
import { CLIENT, Lab, SERVER } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import type { SpoofReport } from '../../src/spoof/report.ts';
import type { Family, Protocol } from '../../src/verdict.ts';
import { type Ran, RUN } from './cli.ts';

export const native = requireNative();
export const PORT = 7;
export const TCP_AND_UDP: readonly Protocol[] = ['tcp', 'udp'];
export const FAMILIES: readonly Family[] = [4, 6];

/** What of the way back for replies is set up on the gateway. */
export interface Setup {
  socketRule?: boolean;
  policyRule?: boolean;
  localRoute?: boolean;
}

export interface Outcome extends Ran {
  report: SpoofReport;
}

export class SpoofScene {
  readonly lab = new Lab(native);
  readonly #closers: (() => unknown)[] = [];
  /** Whom the server saw, as ADDRESS:PORT. */
  readonly seen: string[] = [];

  /** An echo server; what it sends back ends with the address that it saw. */
  serve(family: Family, protocol: Protocol): void {
    const { fd } = native.openSocket(family, protocol, this.lab.server.netns);
    assert(fd !== null);
    const bound = native.bind(fd, { address: SERVER[family], port: PORT });
    assert.equal(bound.errorName, null);
    const answer = (address: string, port: number, data: Buffer) => {
      const peer = formatEndpoint(endpoint(address, port));
      this.seen.push(peer);
      return `${data} for ${peer}`;
    };
    if (protocol === 'udp') {
      const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
      socket.on('message', (data, { address, port }) =>
        socket.send(answer(address, port, data), port, address),
      );
      socket.bind({ fd });
      this.#closers.push(() => socket.close());
      return;
    }
    const server = createServer((socket) => {
      const { remoteAddress = '', remotePort = 0 } = socket;
      socket.on('error', () => socket.destroy());
      socket.on('data', (data) => socket.write(answer(remoteAddress, remotePort, Buffer.from(data))));
    });
    server.listen({ fd });
    this.#closers.push(() => server.close());
  }

  /** Documentation/networking/tproxy.rst: what keeps the replies on the gateway. */
  keepReplies({ socketRule = true, policyRule = true, localRoute = true }: Setup = {}): void {
    const { gateway } = this.lab;
    if (socketRule) {
      gateway.run(
        'nft',
        ['-f', '-'],
        'table inet t {\n chain pre { type filter hook prerouting priority mangle; socket transparent 1 meta mark set 1 accept\n }\n}\n',
      );
    }
    for (const ip of [
      ['-4', '0.0.0.0/0'],
      ['-6', '::/0'],
    ] as const) {
      if (policyRule) gateway.run('ip', [ip[0], 'rule', 'add', 'fwmark', '1', 'lookup', '100']);
      if (localRoute) gateway.run('ip', [ip[0], 'route', 'add', 'local', ip[1], 'dev', 'lo', 'table', '100']);
    }
  }

  /** A second link between two machines of the lab, with addresses of its own. */
  link(a: LabHost, name: string, aNet: string, b: LabHost, bNet: string): void {
    // Numbers of their own: between ends of the same number, the link's coming up may wait a second.
    const peer = ['peer', 'name', name, 'index', '42', 'netns', b.path];
    a.run('ip', ['link', 'add', name, 'index', '41', 'type', 'veth', ...peer]);
    for (const [host, net] of [
      [a, aNet],
      [b, bNet],
    ] as const) {
      host.run('ip', ['address', 'add', net, 'dev', name]);
      host.run('ip', ['link', 'set', name, 'up']);
    }
  }

  /** Runs the command on the gateway and reads its document. */
  async connect(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const ran = await this.run(['--json', ...args], options);
    assert(ran.stdout !== '', `no document; on stderr: ${ran.stderr}`);
    return { ...ran, report: JSON.parse(ran.stdout) };
  }

  async run(args: readonly string[], { host = this.lab.gateway, ...how }: RunOptions = {}): Promise<Ran> {
    const [command = '', ...rest] = [...(how.prefix ?? []), process.execPath, RUN, 'spoof-connect', ...args];
    const start = () =>
      spawn(command, rest, {
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 30_000,
        ...(how.uid === undefined ? {} : { uid: how.uid, gid: how.uid }),
      });
    const child = host === null ? start() : host.within(start);
    const texts = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        texts[name] += text;
      });
    }
    how.started?.(child.pid ?? 0);
    const [code] = await once(child, 'close');
    return { code, ...texts };
  }

  close(): void {
    for (const close of this.#closers) close();
    this.lab.close();
  }
}

export interface RunOptions {
  /** Where it runs; null: in the namespace of the tests. */
  host?: LabHost | null;
  uid?: number;
  /** Program and arguments that start the command. */
  prefix?: readonly string[];
  started?: (pid: number) => void;
}

/** A lab of its own for a test, cleaned up whatever happens. */
export async function scene(play: (scene: SpoofScene) => Promise<void>): Promise<void> {
  const made = new SpoofScene();
  try {
    await play(made);
  } finally {
    made.close();
  }
}

export function target(family: Family, port = PORT): string {
  return formatEndpoint({ address: SERVER[family], port, family });
}

/** The arguments of a whole conversation in the client's name. */
export function conversation(family: Family, protocol: Protocol): string[] {
  return [
    ...['--source', CLIENT[family], target(family), '--protocol', protocol, '--timeout', '1'],
    ...['--send', 'ping', '--expect', `ping for ${family === 4 ? '' : '['}${CLIENT[family]}`],
  ];
}

/** Where an answer is sure to come, a slow machine may take its time. */
export function patiently(args: readonly string[]): string[] {
  const at = args.indexOf('--timeout');
  return args.toSpliced(at, 2, '--timeout', '20');
}

/** What every answer that is not good must have. */
export function assertExplained({ report }: Outcome): void {
  assert(report.stages.length > 0, 'a verdict without a stage');
  for (const { stage, steps } of report.stages) assert(steps.length > 0, `${stage} without a step`);
  assert(report.cause?.endsWith('.'), `no cause: ${report.cause}`);
  assert(report.remedy !== null && report.remedy.length > 0, 'no remedy');
}
