/**
 * Writes platforms/linux/ipfire/recorded.json out of the recording of the original module.
 *
 *   node scripts/ipfire-cases/derive.ts FOLDER-OF-RECORDINGS
 *
 * The recording is not part of the repository; this is, with every step of it, in order. Left out is only what says
 * nothing: buffers as the recorder filled them before a call, and empty notes. Calls are taken apart into their
 * arguments, and what kind of socket a sentence means is written as numbers.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface RecordedStep {
  id: number;
  run: string;
  step: string;
  call: string;
  target: string;
  local?: string;
  peer?: string;
  in: string | null;
  inText?: string;
  out: string | null;
  outText?: string;
  lengthIn?: number;
  lengthOut?: number;
  decoded?: string;
  result: number;
  errorName: string | null;
  note: string;
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: node scripts/ipfire-cases/derive.ts FOLDER-OF-RECORDINGS\n');
  process.exit(2);
}
const recording = JSON.parse(readFileSync(join(folder, 'linux-6.1-ipfire', 'ipfire.json'), 'utf8'));
const steps = (recording.steps as RecordedStep[]).map(derive);
const { release, arch, recorded, module, config } = recording;
const head = { schema: 'origdst.ipfire-recording/1', release, arch, recorded, module, config };
const lines = steps.map((step) => `  ${JSON.stringify(step)}`).join(',\n');
writeFileSync(
  'platforms/linux/ipfire/recorded.json',
  `${JSON.stringify(head, null, 1).replace(/\n\}$/, '')},\n "steps": [\n${lines}\n ]\n}\n`,
);
process.stderr.write(`platforms/linux/ipfire/recorded.json: ${steps.length} steps\n`);

function derive(step: RecordedStep): Record<string, unknown> {
  const { id, run, step: about, target, local, peer, outText, inText, decoded, result, errorName } = step;
  const option = takeApart(step.call);
  const call = option === null ? { call: step.call } : { call: 'getsockopt', ...option };
  const socket = option === null ? null : socketKind(target);
  const texts = { inText: inText === '' ? undefined : inText, outText: outText === '' ? undefined : outText };
  return defined({
    id,
    run,
    about,
    ...call,
    target,
    ...socket,
    local,
    peer,
    ...texts,
    out: option === null ? undefined : (step.out ?? undefined),
    lengthOut: step.lengthOut === option?.length ? undefined : step.lengthOut,
    decoded,
    result,
    errorName: errorName ?? undefined,
    note: step.note === '' ? undefined : step.note,
  });
}

/** `getsockopt(fd, level 0, option 200, bad value pointer, length 16)` */
function takeApart(call: string): { level: number; option: number; length: number; how: string } | null {
  const match = /^getsockopt\(fd, level (\d+), option (\d+), (.*)\)$/.exec(call);
  if (match === null) return null;
  const [, level, option, rest = ''] = match;
  const length = Number(/length (-?\d+)$/.exec(rest)?.[1] ?? 16);
  const how = rest.startsWith('bad value') ? 'value' : rest.startsWith('bad length') ? 'length' : 'plain';
  return { level: Number(level), option: Number(option), length, how };
}

/** SO_DOMAIN and SO_PROTOCOL of the sockets that the recorder's words mean; null: no socket at all. */
function socketKind(target: string): { domain: number | null; protocol: number } {
  const kinds: [RegExp, number | null, number][] = [
    [/^pipe|^closed|^socket-less/, null, 0],
    [/redirected, MPTCP client|^MPTCP/, 2, 262],
    [/UDP-Lite/, 2, 136],
    [/^UDP\/IPv4/, 2, 17],
    [/^UDP\/IPv6/, 10, 17],
    [/^TCP\/IPv6|^AF_INET6/, 10, 6],
    [/^ICMP datagram|^raw ICMP/, 2, 1],
    [/^raw IGMP/, 2, 2],
    [/^AF_UNIX/, 1, 0],
    [/^AF_PACKET/, 17, 0],
    [/^AF_NETLINK/, 16, 0],
  ];
  const [, domain, protocol] = kinds.find(([words]) => words.test(target)) ?? [null, 2, 6];
  return { domain, protocol };
}

function defined(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
