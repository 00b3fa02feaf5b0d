// Does the built package work under the Node that runs this? (scripts/node-versions.sh asks several.)
// It needs no privilege: a connection to oneself, and the question where it was meant to go. Whatever
// this host answers, the answer has to come out of the kernel, with the name of its error.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { lookup, requireNative } from '../dist/src/index.js';

const native = requireNative();
const server = createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const client = connect(server.address().port, '127.0.0.1');
const [accepted] = await once(server, 'connection');

const [result] = lookup(native, { way: 'fd', fd: accepted._handle.fd }, 'netfilter');
const step = result.evidence.find(({ call }) => call === 'getsockopt');
assert.ok(step, 'netfilter was asked');
assert.equal(step.errno === 0, step.errorName === null, 'an error has a name, a success has none');
assert.equal(result.flow.peer.port, client.localPort);
client.destroy();
accepted.destroy();
server.close();

const printed = execFileSync(process.execPath, ['bin/run.js', 'capabilities', '--json'], {
  encoding: 'utf8',
});
const report = JSON.parse(printed);
const netfilter = report.results.find(({ id }) => id === 'netfilter.lookup.ipv4.tcp');
assert.match(report.schema, /^origdst\.capabilities\/\d+$/);
assert.ok(netfilter.evidence.length > 0, 'the row of netfilter rests on what the kernel said');

process.stdout.write(
  `${process.version} Node-API ${process.versions.napi}: lookup ${result.verdict} ` +
    `(${step.errorName ?? 'success'}), netfilter ${netfilter.verdict}\n`,
);
