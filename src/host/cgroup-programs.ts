/** BPF programs of cgroups that rewrite where a socket goes, before any packet meets a rule. */

import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Native } from '../native.ts';
import type { Step } from '../verdict.ts';

const HOOKS = ['connect4', 'connect6', 'sendmsg4', 'sendmsg6'] as const;
/** A host has hundreds of cgroups, not thousands; a walk must end. */
const MOST = 2000;

export interface CgroupProgram {
  /** Path of the cgroup, as bpftool-cgroup(8) wants it. */
  cgroup: string;
  hook: (typeof HOOKS)[number];
  /** Identity of the program. */
  id: number;
  /** The question that found it. */
  step: Step;
}

export interface CgroupListing {
  programs: CgroupProgram[];
  /** The call that was refused, null where all cgroups could be asked. */
  refused: Step | null;
}

/** Of every cgroup of version 2 that is mounted here. */
export function readCgroupPrograms(native: Native): CgroupListing {
  const programs: CgroupProgram[] = [];
  const waiting = cgroupMount();
  for (let asked = 0; asked < MOST; asked++) {
    const cgroup = waiting.pop();
    if (cgroup === undefined) break;
    for (const [hook, { ids, steps }] of askAll(native, cgroup)) {
      const [step] = steps;
      if (step === undefined) continue;
      if (step.errorName === 'EPERM') return { programs, refused: step };
      programs.push(...ids.map((id) => ({ cgroup, hook, id, step: { ...step, detail: cgroup } })));
    }
    waiting.push(...childrenOf(cgroup));
  }
  return { programs, refused: null };
}

function askAll(
  native: Native,
  cgroup: string,
): [CgroupProgram['hook'], ReturnType<Native['cgroupPrograms']>][] {
  let fd: number;
  try {
    fd = openSync(cgroup, 'r');
  } catch {
    return []; // ended meanwhile
  }
  try {
    return HOOKS.map((hook, number) => [hook, native.cgroupPrograms(fd, number)]);
  } finally {
    closeSync(fd);
  }
}

function cgroupMount(): string[] {
  try {
    const lines = readFileSync('/proc/self/mounts', 'utf8').split('\n');
    return lines.flatMap((line) => {
      const [, path = '', type] = line.split(' ');
      return type === 'cgroup2' ? [path] : [];
    });
  } catch {
    return [];
  }
}

function childrenOf(cgroup: string): string[] {
  try {
    return readdirSync(cgroup, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(cgroup, name));
  } catch {
    return [];
  }
}
