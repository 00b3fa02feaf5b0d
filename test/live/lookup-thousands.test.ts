/** `lookup --process` and `--port` for a proxy that holds more sockets than origdst may have descriptors. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import type { LookupResult } from '../../src/inquiry.ts';
import { GATEWAY, Lab, SERVER } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import { RUN } from '../support/cli.ts';
import { type Listener, startListener } from '../support/listener.ts';
import { LISTENER_PORT, redirectPort80 } from '../support/rules.ts';

const native = requireNative();
const COUNT = 1500;
const DESCRIPTORS = 512;
const AT_ONCE = 200;

function lookup(args: readonly string[]): { code: number | null; results: LookupResult[]; stderr: string } {
  const child = spawnSync(
    'prlimit',
    [`--nofile=${DESCRIPTORS}:${DESCRIPTORS}`, process.execPath, RUN, 'lookup', '--json', ...args],
    { encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  const results = child.stdout === '' ? [] : JSON.parse(child.stdout).results;
  return { code: child.status, results, stderr: child.stderr };
}

for (const [kind, address, port] of [
  ['redirected', SERVER[4], 80],
  ['untracked', GATEWAY[4], LISTENER_PORT],
] as const) {
  describe(`${COUNT} ${kind} connections, ${DESCRIPTORS} descriptors`, () => {
    const lab = new Lab(native);
    const title = `many-${kind.slice(0, 5)}`;
    const clients: number[] = [];
    let listener: Listener;
    before(async () => {
      if (kind === 'redirected') redirectPort80(lab.gateway, 'nft', 'redirect');
      listener = await startListener(native, lab.gateway, {
        family: 6,
        port: LISTENER_PORT,
        transparent: false,
        title,
      });
      for (let n = 0; n < COUNT; n++) {
        const { fd } = native.openSocket(4, 'tcp', lab.client.netns);
        assert(fd !== null);
        clients.push(fd);
        native.connect(fd, { address, port });
        if (n % AT_ONCE === AT_ONCE - 1) await listener.accepted(n + 1);
      }
      await listener.accepted(COUNT);
    });
    after(async () => {
      for (const fd of clients) native.close(fd);
      await listener.stop();
      lab.close();
    });
    for (const way of ['--process', '--port'] as const) {
      test(way, () => {
        const args =
          way === '--process' ? [way, title] : [way, String(LISTENER_PORT), '--netns', lab.gateway.path];
        const { code, results, stderr } = lookup(args);
        assert.equal(results.length, COUNT, stderr);
        assert.equal(new Set(results.map(({ flow }) => flow.peer?.port)).size, COUNT);
        assert.equal(code, kind === 'redirected' ? 0 : 3);
        for (const { original, verdict, flow } of results) {
          assert.equal(flow.pid, listener.pid);
          if (kind === 'untracked') assert.equal(verdict, 'no-entry');
          else assert.deepEqual(original, { address, port });
        }
      });
    }
  });
}
