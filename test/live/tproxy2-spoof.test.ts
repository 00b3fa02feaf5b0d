/** spoof-connect by the TPROXY 2 patch: what the server and the wire see, and every way of being refused. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { endpoint, formatEndpoint } from '../../src/endpoint.ts';
import { CLIENT, GATEWAY, Lab, SERVER } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import type { SpoofReport } from '../../src/spoof/report.ts';
import type { Protocol, Question } from '../../src/verdict.ts';
import { Emulation, TPROXY_VERSION } from '../emulation/emulation.ts';
import { PATCH, WEB } from '../emulation/patch.ts';
import { RUN } from '../support/cli.ts';
import { assertSchema } from '../support/schema.ts';

const native = requireNative();
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

let emulation: Emulation;
let lab: Lab;
before(async () => {
  emulation = await Emulation.start();
  await emulation.set('tproxy2', TPROXY_VERSION);
});
after(async () => {
  const { setTproxy1 } = await emulation.counters();
  await emulation.stop();
  assert.equal(setTproxy1, 0, 'the numbers of TPROXY 1.2 are other options today');
});
beforeEach(() => {
  lab = new Lab(native, [4]);
  lab.gateway.run('nft', ['-f', '-'], PATCH);
});
afterEach(() => lab.close());

describe('spoof-connect', () => {
  const seen: string[] = [];
  let close = () => {};
  beforeEach(() => {
    seen.length = 0;
  });
  afterEach(() => {
    close();
    close = () => {};
  });

  function serve(protocol: Protocol): void {
    const { fd } = native.openSocket(4, protocol, lab.server.netns);
    assert(fd !== null);
    assert.equal(native.bind(fd, { address: SERVER[4], port: WEB }).errorName, null);
    if (protocol === 'udp') {
      const socket = createSocket('udp4', (data, { address, port }) => {
        seen.push(formatEndpoint(endpoint(address, port)));
        socket.send(data, port, address);
      });
      socket.bind({ fd });
      close = () => void socket.close();
      return;
    }
    const server = createServer((socket) => {
      seen.push(formatEndpoint(endpoint(socket.remoteAddress ?? '', socket.remotePort ?? 0)));
      socket.on('error', () => socket.destroy());
      socket.end('hello');
    }).listen({ fd });
    close = () => void server.close();
  }

  async function spoof(
    args: readonly string[],
    { emulated = true, prefix = [] as readonly string[] } = {},
  ): Promise<{ code: number | null; report: SpoofReport; stderr: string }> {
    const words = ['--mechanism', 'tproxy2', '--json', '--timeout', '2', ...args, `${SERVER[4]}:${WEB}`];
    const [program = '', ...rest] = [...prefix, process.execPath, RUN, 'spoof-connect', ...words];
    const child = lab.gateway.within(() =>
      emulated ? emulation.spawn(program, rest, {}) : spawn(program, rest),
    );
    let output = '';
    let stderr = '';
    child.stdout?.on('data', (text) => {
      output += text;
    });
    child.stderr?.on('data', (text) => {
      stderr += text;
    });
    const [code] = await once(child, 'close');
    const report = output === '' ? null : JSON.parse(output);
    if (report !== null) assertSchema('spoof-connect', report);
    return { code, report, stderr };
  }

  const stages = ({ stages }: SpoofReport) => stages.map(({ stage, verdict }) => `${stage} ${verdict}`);

  for (const [protocol, source, more] of [
    ['tcp', CLIENT[4], ['--expect', 'hello']],
    ['tcp', `${CLIENT[4]}:4110`, ['--expect', 'hello']],
    ['udp', CLIENT[4], ['--protocol', 'udp', '--send', 'ping', '--expect', 'ping']],
  ] as const) {
    test(`${protocol} from ${source}: the server sees the client`, async () => {
      // The patch would find the foreign port in the assignment; the rule that stands in for it does not know it.
      if (source !== CLIENT[4]) renumber(4110);
      serve(protocol);
      const { code, report } = await spoof(['--source', source, ...more]);
      assert.equal(code, 0, JSON.stringify(report, null, 1));
      assert.deepEqual([report.verdict, report.mechanism], ['spoofed', 'tproxy2']);
      const handshake = protocol === 'tcp' ? ['handshake ok'] : [];
      assert.deepEqual(
        stages(report),
        ['socket', 'option', 'control', 'bind', 'assign', 'watch', 'connect']
          .map((stage) => `${stage} ok`)
          .concat(handshake, 'data ok'),
      );
      assert.deepEqual(seen, [`${CLIENT[4]}:${report.source.port}`]);
      if (source !== CLIENT[4]) assert.equal(report.source.port, 4110);
      const assign = report.stages.find(({ stage }) => stage === 'assign');
      assert.deepEqual(
        assign?.steps.map(({ target }) => target.replace('SOL_IP IP_TPROXY ', '')),
        ['(TPROXY_ASSIGN)', '(TPROXY_CONNECT)', '(TPROXY_FLAGS ITP_CONNECT)'],
      );
    });
  }

  function renumber(port: number): void {
    lab.gateway.run('nft', ['flush', 'chain', 'ip', 'patch', 'post']);
    lab.gateway.run('nft', [
      `add rule ip patch post meta mark 0x7470 ip protocol tcp snat to ${CLIENT[4]}:${port}`,
    ]);
  }

  test('a kernel without the patch: not on this host', async () => {
    const { code, report } = await spoof(['--source', CLIENT[4]], { emulated: false });
    assert.deepEqual([code, report.verdict, report.reason], [4, 'unsupported', 'no-option']);
  });

  test('an ordinary user: not permitted, and told at the assignment', async () => {
    const { code, report } = await spoof(['--source', CLIENT[4]], { prefix: NOBODY });
    assert.deepEqual([code, report.verdict, report.reason], [5, 'denied', 'not-permitted']);
    assert.equal(stages(report).at(-1), 'assign denied');
  });

  test('a foreign port that another socket is assigned', async () => {
    const fd = emulation.within(() => native.openSocket(4, 'tcp', lab.gateway.netns).fd);
    assert(fd !== null);
    native.bind(fd, { address: GATEWAY[4], port: 4000 });
    const question: Question = { operation: 'spoof', family: 4, protocol: 'tcp' };
    assert.equal(
      native.assign('tproxy2', fd, question, endpoint(CLIENT[4], 4111)).steps.at(-1)?.errorName,
      null,
    );
    const { code, report } = await spoof(['--source', `${CLIENT[4]}:4111`]);
    assert.deepEqual([code, report.verdict, report.reason], [3, 'failed', 'assignment-in-use']);
    native.close(fd);
    serve('tcp');
    renumber(4111);
    assert.equal((await spoof(['--source', `${CLIENT[4]}:4111`])).code, 0, 'closing it took it back');
  });

  test('the reply comes back and is not translated: said, with what the patch would show', async () => {
    // Another machine's NAT, as it were: the reply goes to the client's address, which is not this socket's.
    lab.gateway.run('nft', ['flush', 'chain', 'ip', 'patch', 'post']);
    lab.gateway.run('nft', ['-f', '-'], STATELESS);
    serve('tcp');
    const { code, report } = await spoof(['--source', CLIENT[4]]);
    assert.deepEqual([code, report.verdict, report.reason], [3, 'dropped-here', 'not-translated-back']);
  });

  test('IPv6 is refused before anything is tried', async () => {
    const { code, stderr } = await spoof(['--source', '2001:db8:1::2']);
    assert.equal(code, 2);
    assert.match(stderr, /IPv4 only|different families/);
  });
});

/** Rewrites the source without a memory of it. */
const STATELESS = `
table ip stateless {
  chain out { type filter hook postrouting priority 300;
    meta mark 0x7470 ip saddr set ${CLIENT[4]}
  }
}`;
