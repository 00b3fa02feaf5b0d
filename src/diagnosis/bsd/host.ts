/** Forwarding, ipfw, IPFilter and the modes of the devices. Sources: inet(4), ipfw(8), ipf(8), devfs(8). */

import type { Check, Problem } from '../finding.ts';
import { type BsdHost, problem } from './pf.ts';
import type { BsdReadings } from './readings.ts';

export const forwarding: Check<BsdHost> = {
  name: 'forwarding',
  run({ readings }) {
    return [
      { family: 4 as const, name: 'net.inet.ip.forwarding' },
      { family: 6 as const, name: 'net.inet6.ip6.forwarding' },
    ].flatMap(({ family, name }): Problem[] => {
      const { value, step } = sysctl(readings, name);
      if (value !== 0) return [];
      return [
        {
          ...problem('no-forwarding', 'warning', 'found', {
            cause: `${name} is 0: what is intercepted reaches the proxy, and everything else of the clients ends here.`,
            remedy: `sysctl ${name}=1   # and in /etc/sysctl.conf, to keep it`,
            evidence: [step],
          }),
          family,
        },
      ];
    });
  },
};

export const ipfw: Check<BsdHost> = {
  name: 'ipfw',
  run({ os, readings }) {
    if (os !== 'freebsd') return [];
    const enabled = sysctl(readings, 'net.inet.ip.fw.enable');
    if (enabled.value === null) return [];
    if (enabled.value === 0) {
      return [
        problem('ipfw-disabled', 'error', 'found', {
          cause: 'ipfw is loaded and switched off: no fwd rule is evaluated.',
          remedy: 'sysctl net.inet.ip.fw.enable=1',
          evidence: [enabled.step],
        }),
      ];
    }
    return onePass(readings);
  },
};

/** With one_pass a packet that left a pipe or a divert socket does not come back to the rules after it. */
function onePass(readings: BsdReadings): Problem[] {
  const { value, step } = sysctl(readings, 'net.inet.ip.fw.one_pass');
  const rules = readings.run('ipfw list');
  const lines = (rules.output ?? '').split('\n');
  const pipe = lines.findIndex((line) => /^\d+ (pipe|queue|divert|netgraph|nat) /.test(line));
  const fwd = lines.findLastIndex((line) => /^\d+ (fwd|forward) /.test(line));
  if (value !== 1 || pipe === -1 || fwd < pipe) return [];
  return [
    problem('ipfw-one-pass', 'warning', 'found', {
      cause: `net.inet.ip.fw.one_pass is 1: what the rule “${lines[pipe]?.trim()}” takes never reaches the fwd rule after it.`,
      remedy: 'sysctl net.inet.ip.fw.one_pass=0   # or number the fwd rule before that one',
      evidence: [step, rules.step],
    }),
  ];
}

export const ipfilter: Check<BsdHost> = {
  name: 'ipfilter',
  run({ os, readings }) {
    if (os === 'openbsd' || readings.device('/dev/ipnat').mode === null) return [];
    const { output, step } = readings.run('ipf -V');
    if (output === null || !/^Running: no/m.test(output)) return [];
    return [
      problem('ipfilter-disabled', 'warning', 'found', {
        cause: 'IPFilter is in the kernel and switched off: no rdr rule of it redirects anything.',
        remedy: 'ipf -E',
        evidence: [step],
      }),
    ];
  },
};

/** A device that others may write to hands them the packet filter; one that only root may read is the default. */
export const deviceModes: Check<BsdHost> = {
  name: 'device-modes',
  run({ readings }) {
    return ['/dev/pf', '/dev/ipnat', '/dev/ipl', '/dev/npf'].flatMap((path) => {
      const { mode, step } = readings.device(path);
      if (mode === null || (mode & 0o002) === 0) return [];
      return [
        problem('device-open-to-all', 'warning', 'found', {
          cause: `Everyone may write to ${path}: any user of this host can change the packet filter.`,
          remedy: `chmod 640 ${path}   # and chgrp it to the proxy's group: a lookup only reads`,
          evidence: [step],
        }),
      ];
    });
  },
};

function sysctl(readings: BsdReadings, name: string) {
  const { output, step } = readings.run(`sysctl -n ${name}`);
  const value = output === null || !/^\s*\d+\s*$/.test(output) ? null : Number(output);
  return { value, step: value === null ? step : { ...step, detail: `value ${value}` } };
}
