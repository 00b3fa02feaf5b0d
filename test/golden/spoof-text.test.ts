/** What people see of a spoofed connection, to the byte. `UPDATE_GOLDEN=1` writes it anew. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { renderSpoof } from '../../src/render/spoof-text.ts';
import type { SpoofReport, Stage } from '../../src/spoof/report.ts';
import type { Step } from '../../src/verdict.ts';

const SOURCE = { address: '192.0.2.2', port: 40112 };
const TARGET = { address: '198.51.100.2', port: 80 };

function step(call: string, target: string, errorName: string | null = null): Step {
  return { call, target, result: errorName === null ? 0 : -1, errno: null, errorName, detail: '' };
}

function stage(
  name: Stage['stage'],
  verdict: Stage['verdict'],
  last: Step,
  note: string | null = null,
): Stage {
  return { stage: name, verdict, note, steps: [last] };
}

const DROPPED: SpoofReport = {
  schema: 'origdst.spoof-connect/1',
  mechanism: 'tproxy4',
  protocol: 'tcp',
  source: SOURCE,
  target: TARGET,
  stages: [
    stage('socket', 'ok', step('socket', 'AF_INET')),
    stage('option', 'ok', step('setsockopt', 'SOL_IP IP_TRANSPARENT')),
    stage('control', 'ok', step('bind', 'source address', 'EADDRNOTAVAIL'), 'the address is not this host’s'),
    stage('bind', 'ok', step('bind', 'source address')),
    stage('watch', 'ok', step('bind', 'AF_PACKET all interfaces')),
    stage('connect', 'ok', step('connect', 'target address', 'EINPROGRESS')),
    stage('handshake', 'waiting', step('connect', 'target address', 'EALREADY'), 'no answer in time'),
  ],
  packets: [
    { interface: 'outside', direction: 'out', kind: 'syn', from: SOURCE, to: TARGET, icmp: null },
    { interface: 'outside', direction: 'in', kind: 'syn-ack', from: TARGET, to: SOURCE, icmp: null },
    { interface: 'outside', direction: 'out', kind: 'syn', from: SOURCE, to: TARGET, icmp: null },
    {
      interface: 'inside',
      direction: 'in',
      kind: 'icmp-error',
      from: { address: '192.0.2.9', port: 0 },
      to: { address: '198.51.100.2', port: 0 },
      icmp: { type: 3, code: 13, about: { from: SOURCE, to: TARGET } },
    },
  ],
  received: null,
  verdict: 'dropped-here',
  reason: 'no-local-route',
  cause: `${'The reply arrived on outside, and this host did not deliver it to the socket. '.repeat(2)}That is all.`,
  remedy: `ip route replace local 0.0.0.0/0 dev lo table 100   # ${'in one piece, '.repeat(6)}however long`,
  evidence: [],
};

const SPOOFED: SpoofReport = {
  ...DROPPED,
  stages: [...DROPPED.stages.slice(0, 4), stage('data', 'ok', step('recvmsg', 'fd'))],
  packets: null,
  received: '+OK "ready"\r\n',
  verdict: 'spoofed',
  reason: 'spoofed',
  cause: null,
  remedy: null,
};

for (const [name, report, colour] of [
  ['spoof-dropped', DROPPED, 0],
  ['spoof-dropped-colour', DROPPED, 1],
  ['spoof-connected', SPOOFED, 0],
] as const) {
  test(name, () => {
    let drawn = '';
    renderSpoof(report, {
      width: 80,
      limit: Number.POSITIVE_INFINITY,
      colour,
      write: (text) => {
        drawn += text;
      },
    });
    const path = new URL(`${name}.txt`, import.meta.url);
    if (process.env.UPDATE_GOLDEN) writeFileSync(path, drawn);
    assert.equal(drawn, readFileSync(path, 'utf8'));
  });
}
