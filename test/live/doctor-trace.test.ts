/** `doctor --trace`: the way of real packets through the rules, and nothing left behind, however it ends. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import type { Trace } from '../../src/diagnosis/trace.ts';
import { CLIENT, SERVER } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import { Broken } from '../support/broken.ts';
import { RUN } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { processesIn } from '../support/proxy.ts';
import { assertSchema } from '../support/schema.ts';

const native = requireNative();
const NAT = 'type nat hook prerouting priority dstnat;';
const PORT = 18_120;
const FLOW = `tcp ${CLIENT[4]}:* ${SERVER[4]}:80`;

interface Running {
  child: ChildProcess;
  output(): string;
}

function start({ lab }: Broken, ...args: string[]): Running {
  const child = native.inNamespace(lab.gateway.netns, () =>
    spawn(process.execPath, [RUN, 'doctor', ...args], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return { child, output: () => output };
}

function tables({ lab }: Broken): string {
  return lab.gateway.run('nft', ['list', 'tables']);
}

async function tracing(broken: Broken): Promise<void> {
  await eventually(
    () => /nftrace set 1/.test(broken.lab.gateway.run('nft', ['list', 'ruleset'])),
    () => 'the trace table',
  );
}

async function scene(run: (broken: Broken) => Promise<void>): Promise<void> {
  const broken = new Broken(native);
  try {
    await run(broken);
  } finally {
    broken.close();
  }
}

test('the rules that a packet meets, in their order; the trace table is gone afterwards', () =>
  scene(async (broken) => {
    broken.chain(NAT, 'tcp dport 25 drop', `tcp dport 80 redirect to :${PORT}`);
    const listener = broken.listen(PORT);
    const { child, output } = start(broken, '--json', '--port', `${PORT}`, '--trace', FLOW, '--packets', '1');
    await tracing(broken);
    assert(broken.arrives(listener, true));
    const [code] = await once(child, 'close');
    assert.equal(code, 0);
    const document = JSON.parse(output());
    assertSchema('doctor', document);
    const { packets, ended } = document.trace as Trace;
    assert.equal(ended, 'packets');
    assert.match(packets[0]?.packet ?? '', /iif "inside".* ip saddr 192\.0\.2\.2 .* tcp dport 80 /);
    assert.deepEqual(
      packets[0]?.stations.filter(({ kind }) => kind === 'rule').map(({ rule, verdict }) => [rule, verdict]),
      [[`tcp dport 80 redirect to :${PORT}`, 'accept']],
    );
    assert.doesNotMatch(tables(broken), /trace/);
  }));

test('a rule that drops is shown', () =>
  scene(async (broken) => {
    broken.chain('type filter hook prerouting priority mangle;', 'tcp dport 80 drop');
    const { child, output } = start(broken, '--trace', FLOW.replace('*', '0'), '--packets', '1');
    await tracing(broken);
    assert(!broken.arrives(broken.listen(80), false));
    await once(child, 'close');
    assert.match(output(), /^ {4}t pre: tcp dport 80 drop → drop$/m);
  }));

test('no packet comes: it ends in time, with 6', () =>
  scene(async (broken) => {
    broken.chain(NAT, `tcp dport 80 redirect to :${PORT}`);
    broken.listen(PORT);
    const { child, output } = start(broken, '--port', `${PORT}`, '--trace', FLOW, '--seconds', '1');
    const [code] = await once(child, 'close');
    assert.equal(code, 6);
    assert.match(output(), /no packet of this flow came to this host/);
    assert.doesNotMatch(tables(broken), /trace/);
  }));

for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const) {
  test(`${signal} in the middle of it: no table and no process is left`, () =>
    scene(async (broken) => {
      const { child } = start(broken, '--trace', FLOW, '--seconds', '600');
      await tracing(broken);
      assert.match(tables(broken), new RegExp(`origdst_trace_${child.pid}`));
      child.kill(signal);
      await once(child, 'close');
      await eventually(
        () => !/trace/.test(tables(broken)),
        () => `the end of the trace table: ${tables(broken)}`,
      );
      await eventually(
        () => processesIn(broken.lab.gateway).length === 0,
        () => `the end of processes ${processesIn(broken.lab.gateway)}`,
      );
    }));
}

test('another user: not permitted, and nothing is traced', () =>
  scene(async (broken) => {
    const { code, diagnosis } = broken.doctorAs(65534);
    assert.equal(code, 5);
    assert.equal(diagnosis.problems[0]?.id, 'no-capability');
    const child = native.inNamespace(broken.lab.gateway.netns, () =>
      spawn(process.execPath, [RUN, 'doctor', '--trace', FLOW], {
        stdio: ['ignore', 'pipe', 'pipe'],
        uid: 65534,
        gid: 65534,
      }),
    );
    let errors = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    const [refused] = await once(child, 'close');
    assert.equal(refused, 5);
    assert.match(errors, /CAP_NET_ADMIN/);
  }));

test('a flow that cannot be read is a usage error', () =>
  scene(async (broken) => {
    for (const flow of [
      'tcp 192.0.2.2 198.51.100.2:80',
      'icmp 192.0.2.2:* 198.51.100.2:*',
      'tcp [::1]:* 192.0.2.1:80',
    ]) {
      const { child, output } = start(broken, '--trace', flow);
      const [code] = await once(child, 'close');
      assert.equal(code, 2);
      assert.equal(output(), '');
    }
  }));
