/** The checks of BSD hosts, on what their tools print according to pfctl(8), ipfw(8), ipf(8) and sysctl(8). */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { examineBsd } from '../../src/diagnosis/bsd/doctor.ts';
import type { BsdReadings } from '../../src/diagnosis/bsd/readings.ts';
import type { Os } from '../../src/verdict.ts';

interface Told {
  outputs?: Record<string, string | null>;
  devices?: Record<string, number>;
}

const SOUND: Record<string, string> = {
  'pfctl -s info': 'Status: Enabled for 3 days 01:02:03          Debug: Urgent\n',
  'pfctl -s Anchors': '',
  'sysctl -n net.inet.ip.forwarding': '1\n',
  'sysctl -n net.inet6.ip6.forwarding': '1\n',
};

function told({ outputs = {}, devices = { '/dev/pf': 0o600 } }: Told): BsdReadings {
  const all: Record<string, string | null> = { ...SOUND, ...outputs };
  const step = (call: string, target: string) => ({
    call,
    target,
    result: 0,
    errno: null,
    errorName: null,
    detail: '',
  });
  return {
    run: (command) => ({ output: all[command] ?? null, step: step('run', command) }),
    device: (path) => ({ mode: devices[path] ?? null, step: step('stat', path) }),
  };
}

function ids(os: Os, host: Told): string[] {
  return examineBsd(os, told(host)).problems.map(({ id }) => id);
}

const CASES: [string, Os, Told, string[]][] = [
  ['a sound gateway', 'openbsd', {}, []],
  [
    'PF never enabled',
    'openbsd',
    { outputs: { 'pfctl -s info': 'Status: Disabled       Debug: err\n' } },
    ['pf-disabled'],
  ],
  ['pfctl may not ask', 'freebsd', { outputs: { 'pfctl -s info': null } }, ['pf-unread']],
  ['no PF at all', 'freebsd', { devices: {}, outputs: { 'pfctl -s info': null } }, []],
  [
    'an anchor that nothing calls',
    'freebsd',
    { outputs: { 'pfctl -s Anchors': '  proxy\n', 'pfctl -s rules': 'pass all\n', 'pfctl -s nat': '' } },
    ['pf-anchor-unreachable'],
  ],
  [
    'an anchor that a translation rule calls',
    'freebsd',
    { outputs: { 'pfctl -s Anchors': '  proxy\n', 'pfctl -s nat': 'rdr-anchor "proxy" all\n' } },
    [],
  ],
  [
    'anchors called by a wildcard',
    'openbsd',
    {
      outputs: {
        'pfctl -s Anchors': '  relayd\n  relayd/www\n',
        'pfctl -s rules': 'anchor "relayd/*" all\n',
      },
    },
    [],
  ],
  [
    'a host that does not forward',
    'netbsd',
    { outputs: { 'sysctl -n net.inet.ip.forwarding': '0\n', 'sysctl -n net.inet6.ip6.forwarding': '0\n' } },
    ['no-forwarding', 'no-forwarding'],
  ],
  [
    'ipfw switched off',
    'freebsd',
    { outputs: { 'sysctl -n net.inet.ip.fw.enable': '0\n' } },
    ['ipfw-disabled'],
  ],
  [
    'a fwd rule behind a pipe',
    'freebsd',
    {
      outputs: {
        'sysctl -n net.inet.ip.fw.enable': '1\n',
        'sysctl -n net.inet.ip.fw.one_pass': '1\n',
        'ipfw list':
          '00050 pipe 1 ip from any to any\n00100 fwd 127.0.0.1,8081 tcp from any to any 80 in\n65535 allow ip from any to any\n',
      },
    },
    ['ipfw-one-pass'],
  ],
  [
    'a fwd rule before a pipe',
    'freebsd',
    {
      outputs: {
        'sysctl -n net.inet.ip.fw.enable': '1\n',
        'sysctl -n net.inet.ip.fw.one_pass': '1\n',
        'ipfw list': '00100 fwd 127.0.0.1,8081 tcp from any to any 80 in\n00200 pipe 1 ip from any to any\n',
      },
    },
    [],
  ],
  [
    'IPFilter switched off',
    'netbsd',
    {
      devices: { '/dev/ipnat': 0o600 },
      outputs: { 'ipf -V': 'ipf: IP Filter: v5.1.2 (536)\nKernel: IP Filter: v5.1.2\nRunning: no\n' },
    },
    ['ipfilter-disabled'],
  ],
  [
    'a device that everyone may write to',
    'openbsd',
    { devices: { '/dev/pf': 0o666 } },
    ['device-open-to-all'],
  ],
];

describe('doctor of a BSD host', () => {
  for (const [name, os, host, expected] of CASES) {
    test(name, () => {
      assert.deepEqual(ids(os, host), expected);
      for (const { cause, remedy, evidence } of examineBsd(os, told(host)).problems) {
        assert.match(cause, /^\S.*\.$/);
        assert.notEqual(remedy, '');
        assert(evidence.length > 0);
      }
    });
  }
});
