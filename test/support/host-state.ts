/** What a proof must not change: everything of the host's network that can be read, as text to compare. */

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const COMMANDS = [
  ['nft', 'list', 'ruleset'],
  ['ip', '-4', 'rule'],
  ['ip', '-6', 'rule'],
  ['ip', '-4', 'route', 'show', 'table', 'all'],
  ['ip', '-6', 'route', 'show', 'table', 'all'],
  ['ip', '-o', 'address'],
  ['ip', '-o', 'link'],
  ['ip', 'neighbour'],
] as const;

const FILES = [
  '/proc/self/mountinfo',
  '/proc/net/ip_tables_names',
  '/proc/net/ip6_tables_names',
  '/proc/modules',
];

export type HostState = Record<string, string>;

export function hostState(): HostState {
  const state: HostState = {};
  for (const [command, ...args] of COMMANDS) state[[command, ...args].join(' ')] = run(command, args);
  for (const file of FILES) state[file] = read(file);
  state['sysctl net'] = settings();
  // The seconds that an entry has left are no change.
  state['conntrack -L'] = run('conntrack', ['-L']).replace(/^(\S+\s+\d+) \d+/gm, '$1');
  state['/run/netns'] = list('/run/netns');
  state['/run'] = list('/run');
  return state;
}

/** All of net.*, but for what counts and what is only written. */
function settings(): string {
  const lines = run('sysctl', ['-a', '-r', '^(net|user)\\.']).split('\n');
  return lines.filter((line) => !/nf_conntrack_count|nf_conntrack_buckets/.test(line)).join('\n');
}

function run(command: string, args: readonly string[]): string {
  const { stdout, error } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: 20_000,
    maxBuffer: 1 << 26,
  });
  if (error !== undefined) throw error;
  return stdout;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function list(folder: string): string {
  try {
    return readdirSync(folder).sort().join('\n');
  } catch {
    return '';
  }
}

/** Processes with this word in their environment: whatever a marked command has started. */
export function marked(mark: string): number[] {
  return list('/proc')
    .split('\n')
    .filter((name) => /^[0-9]+$/.test(name) && read(`/proc/${name}/environ`).includes(mark))
    .map(Number);
}
