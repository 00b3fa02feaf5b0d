/**
 * redsocks: what `lookup` prints about its connection equals what redsocks logged for it, and what
 * it asked its SOCKS server for. It knows IPv4 alone.
 */

import assert from 'node:assert/strict';
import type { Server } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { endpoint } from '../../src/endpoint.ts';
import { Lab, SERVER } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import { eventually } from '../support/eventually.ts';
import { type Interception, interception, lookedUp, WAYS, wanted } from '../support/interception.ts';
import { processesIn, RunningProxy } from '../support/proxy.ts';
import { LISTENER_PORT, redirectPort80, type Tool } from '../support/rules.ts';
import { Scratch } from '../support/scratch.ts';
import { socks5Server } from '../support/socks5.ts';
import { type ClientStream, listenIn, streamFrom } from '../support/streams.ts';

const native = requireNative();
const SOCKS = endpoint(SERVER[4], 1080);

for (const tool of ['nft', 'iptables-legacy'] satisfies Tool[]) {
  describe(`redsocks, REDIRECT by ${tool}`, () => agreesWithRedsocks(tool));
}

function agreesWithRedsocks(tool: Tool): void {
  const lab = new Lab(native);
  const scratch = new Scratch('nobody');
  const asked: string[] = [];
  let socks: Server;
  let client: ClientStream;
  let redsocks: RunningProxy;
  let logged: Interception[];

  before(async () => {
    redirectPort80(lab.gateway, tool, 'redirect');
    socks = listenIn(
      native,
      lab.server,
      SOCKS,
      socks5Server((destination) => asked.push(destination)),
    );
    redsocks = new RunningProxy(native, lab.gateway, {
      program: 'redsocks',
      args: ['-c', scratch.write('redsocks.conf', configuration(scratch))],
      port: LISTENER_PORT,
    });
    await redsocks.up(native);
    client = streamFrom(native, lab.client, endpoint(SERVER[4], 80));
    const log = () => scratch.lines('log').join('\n');
    await eventually(
      () => log().includes('data relaying started'),
      () => `redsocks to relay: ${log()}`,
    );
    logged = scratch.lines('log').flatMap(fromLog);
  });

  after(async () => {
    client?.socket.destroy();
    socks?.close();
    await redsocks?.stop();
    scratch.remove();
    lab.close();
  });

  test('redsocks logged where its client wanted to go', () => {
    assert.deepEqual(logged, wanted([client]));
  });

  test('redsocks asked its SOCKS server for the same', () => {
    assert.deepEqual(
      asked,
      logged.map(({ original }) => original),
    );
  });

  for (const [way, args] of Object.entries(WAYS)) {
    test(`lookup agrees with redsocks, ${way}`, () => {
      assert.deepEqual(lookedUp(redsocks, args(redsocks), 'translated'), logged);
    });
  }

  test('nothing of redsocks stays behind', async () => {
    assert.equal(redsocks.pids.length, 1);
    await redsocks.stop();
    assert.deepEqual(processesIn(lab.gateway), []);
  });
}

function configuration(scratch: Scratch): string {
  return `
base {
  log_debug = on;
  log_info = on;
  log = "file:${scratch.file('log')}";
  daemon = off;
  user = nobody;
  group = nogroup;
  redirector = iptables;
}
redsocks {
  local_ip = 0.0.0.0;
  local_port = ${LISTENER_PORT};
  ip = ${SOCKS.address};
  port = ${SOCKS.port};
  type = socks5;
}
`;
}

/** `… [192.0.2.2:49156->198.51.100.2:80]: accepted` */
function fromLog(line: string): Interception[] {
  const [, from, fromPort, to, toPort] = /\[(.+):(\d+)->(.+):(\d+)\]: accepted$/.exec(line) ?? [];
  if (from === undefined || fromPort === undefined || to === undefined || toPort === undefined) return [];
  return [interception(from, fromPort, to, toPort)];
}
