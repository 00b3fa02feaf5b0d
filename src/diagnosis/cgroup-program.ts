/** A BPF program of a cgroup rewrites destinations at connect(): the rules see the new one only. */

import type { Check } from './finding.ts';
import { shellWord } from './shell.ts';
import { problem, type Situation } from './situation.ts';

/** Service meshes and Cilium's kube-proxy replacement do so. Source: __cgroup_bpf_run_filter_sock_addr. */
export const cgroupProgram: Check<Situation> = {
  name: 'cgroup-program',
  run({ readings }) {
    return readings.cgroupPrograms.programs.map(({ cgroup, hook, id, step }) =>
      problem('cgroup-program', 'info', null, {
        cause:
          `BPF program ${id} of the cgroup ${cgroup} may rewrite the destination at ${hook}: connections that processes of that ` +
          `cgroup open on this host then have another one before any rule sees them, and no mechanism here can tell the first.`,
        remedy: `bpftool cgroup detach ${shellWord(cgroup)} ${hook} id ${id}   # if it is not wanted; what it is: bpftool prog show id ${id}`,
        evidence: [step],
      }),
    );
  },
};
