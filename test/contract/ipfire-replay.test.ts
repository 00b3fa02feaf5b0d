/**
 * What the original IPFIRE module answered, replayed through the backend and the conclusions: every lookup of the
 * recording, and every look at the module's traces. The same calls are asked of a kernel in test/live/ipfire-recorded.
 */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ipfire } from '../../platforms/linux/ipfire/mechanism.ts';
import type { HostContext } from '../../src/mechanism.ts';
import type { Step } from '../../src/verdict.ts';
import { isOption, type RecordedOption, type RecordedStep, readRecording } from '../emulation/recorded.ts';
import { attempt, buildLinuxReplay, type Call } from '../replay/linux.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const program = buildLinuxReplay(ROOT, 'ipfire');
const { steps } = readRecording();
const asked = steps.filter(isOption);

/** asm-generic/socket.h, level SOL_SOCKET */
const SO_DOMAIN = 'getsockopt 1 39';
const SO_TYPE = 'getsockopt 1 3';
const SO_PROTOCOL = 'getsockopt 1 38';
/** O_RDONLY | O_CLOEXEC */
const TO_READ = 0o2000000;

describe('lookup', () => {
  // The backend asks with a whole sockaddr_in and good pointers; other lengths are the emulation's matter.
  const own = asked.filter(
    ({ level, option, length, how }) => level === 0 && option === 200 && length === 16 && how === 'plain',
  );
  test(`${own.length} recorded lookups`, () => assert(own.length > 150));

  for (const step of own) {
    test(`${step.id} ${step.about}: ${step.target}`, () => {
      const replayed = attempt(program, 'ipfire', 'lookup', calls(step));
      assert.equal(replayed.mismatch, '');
      const conclusion = ipfire.concludeLookup?.({ ...replayed, protocol: 'tcp', zone: 0 });
      assert.equal(`${conclusion?.verdict} ${conclusion?.reason}`, expected(step));
      const found = replayed.original;
      assert.equal(found === null ? undefined : `${found.address}:${found.port}`, step.decoded);
    });
  }
});

/** What the kernel is asked: a socket of another kind is not asked about. */
function calls({ domain, protocol, target, local, peer, result, errorName, out }: RecordedOption): Call[] {
  if (domain === null)
    return [{ call: 'getsockname ', result: target.startsWith('closed') ? 'EBADF' : 'ENOTSOCK' }];
  const ip = domain === 2 || domain === 10;
  const names: Call[] = [
    { call: 'getsockname ', out: ip ? sockaddr(local) : hex(domain).slice(0, 4), result: 0 },
  ];
  if (ip) {
    names.push(
      peer === undefined
        ? { call: 'getpeername ', result: 'ENOTCONN' }
        : { call: 'getpeername ', out: sockaddr(peer), result: 0 },
    );
  }
  const kind: Call[] = [{ call: SO_DOMAIN, out: hex(domain), result: 0 }];
  if (domain !== 2) return [...names, ...kind];
  kind.push({ call: SO_TYPE, out: hex(type(target)), result: 0 });
  if (type(target) !== 1) return [...names, ...kind];
  kind.push({ call: SO_PROTOCOL, out: hex(protocol), result: 0 });
  if (protocol !== 6) return [...names, ...kind];
  const answer: Call = { call: 'getsockopt 0 200', result: errorName ?? result };
  return [...names, ...kind, out === undefined ? answer : { ...answer, out }];
}

function expected({ domain, protocol, target, peer, errorName }: RecordedOption): string {
  if (domain === 10) return 'unsupported ipv6-socket';
  if (domain === 2 && protocol === 262) return 'unsupported mptcp-socket';
  if (domain !== 2 || protocol !== 6 || type(target) !== 1) return 'unsupported socket-kind';
  switch (errorName) {
    case undefined:
      return 'translated translated';
    case 'ENOENT':
      return peer === undefined ? 'no-entry connection-over' : 'untranslated not-redirected';
    case 'EOPNOTSUPP':
      return 'unsupported ip-mroute';
    default:
      return `unsupported ${errorName === 'ENOPROTOOPT' ? 'module-absent' : errorName}`;
  }
}

/** SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, by the recorder's words. */
function type(target: string): number {
  if (target.startsWith('raw')) return 3;
  return target.startsWith('UDP') || target.startsWith('ICMP') ? 2 : 1;
}

function sockaddr(place = '0.0.0.0:0'): string {
  const [, address = '', port = ''] = /^\[?([^\]]*)\]?:(\d+)$/.exec(place) ?? [];
  const number = Number(port).toString(16).padStart(4, '0');
  if (!address.includes(':')) {
    const bytes = Buffer.from(address.split('.').map(Number)).toString('hex');
    return `0200${number}${bytes}${'00'.repeat(8)}`;
  }
  const mapped = /^::ffff:(.*)$/.exec(address)?.[1];
  const last =
    mapped === undefined
      ? address.slice(2).padStart(8, '0')
      : Buffer.from(mapped.split('.').map(Number)).toString('hex');
  return `0a00${number}00000000${'00'.repeat(10)}${mapped === undefined ? '0000' : 'ffff'}${last}00000000`;
}

function hex(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes.toString('hex');
}

describe('presence', () => {
  const looks = Map.groupBy(
    steps.filter(({ about, run }) => about.startsWith('presence') && run !== 'loader'),
    ({ run, about }) => `${run}, ${about}`,
  );

  for (const [name, look] of looks) {
    test(name, () => {
      const { errorName } = answerAt(look);
      const { mismatch, steps: taken } = attempt(program, 'ipfire', 'probe', probeCalls(look, errorName));
      assert.equal(mismatch, '');
      const conclusion = ipfire.concludeProbe?.(
        { operation: 'lookup', family: 4, protocol: 'tcp' },
        { original: null, steps: taken },
        host(look),
      );
      const loaded = isLoaded(look);
      const wanted = name.startsWith('mroute-y') ? 'shadowed' : loaded ? 'available' : 'absent';
      assert.equal(conclusion?.verdict, wanted);
      const isSaid = /which is loaded/.test(conclusion?.cause ?? '');
      assert.equal(isSaid, wanted === 'shadowed' && loaded, conclusion?.cause ?? '');
      assert(!/0x|ffff/.test(JSON.stringify(conclusion)), 'no address of the kernel');
    });
  }
});

function isLoaded(look: readonly RecordedStep[]): boolean {
  return !look.some(({ about }) => about.endsWith('not loaded') || about.endsWith('after unload'));
}

/** The recorder asked an unconnected TCP socket before the module was loaded, and afterwards. */
function answerAt(look: readonly RecordedStep[]): RecordedOption {
  const about = isLoaded(look) ? 'module loaded, no rule' : 'module not loaded';
  const found = asked.find(
    (step) =>
      step.run === look[0]?.run &&
      step.about === about &&
      step.target === 'TCP/IPv4 unconnected' &&
      step.option === 200,
  );
  if (found === undefined) throw new Error(`nothing recorded about ${about}`);
  return found;
}

/** Where a look left something out, the module's state stands for it. */
function probeCalls(look: readonly RecordedStep[], errorName: string | undefined): Call[] {
  const result = (call: string, loaded: number | string, absent: number | string) => {
    const step = look.find((one) => one.call === call);
    if (step !== undefined) return step.errorName ?? 6;
    return isLoaded(look) ? loaded : absent;
  };
  const traces: Call[] = ['/proc/IPFIRE/policy', '/sys/module/ipfi/initstate'].map((path) => ({
    call: `open ${path} ${TO_READ}`,
    result: result(`read ${path}`, 6, 'ENOENT'),
  }));
  const shows = traces.some(({ result: answer }) => typeof answer === 'number');
  const protocols = shows ? [29, 30, 31] : [];
  return [
    { call: 'socket 2 1 0', result: 5 },
    { call: 'getsockopt 0 200', result: errorName ?? 0 },
    ...traces,
    { call: `open /proc/modules ${TO_READ}`, result: 6 },
    ...protocols.map((number) => ({
      call: `socket 16 3 ${number}`,
      result: result(`socket(AF_NETLINK, SOCK_RAW, ${number})`, 6, 'EPROTONOSUPPORT'),
    })),
  ];
}

function host(look: readonly RecordedStep[]): HostContext {
  const line = look.find(({ call }) => call === 'read /proc/modules')?.outText;
  const step = (target: string, detail: string | undefined): Step => ({
    call: 'read',
    target,
    result: detail === undefined ? -1 : 0,
    errno: null,
    errorName: detail === undefined ? 'ENOENT' : null,
    detail: detail?.split(' ').slice(0, 5).join(' ') ?? '',
  });
  return {
    kernelOption: () => null,
    exists: (path) => step(path, undefined),
    lists: (path) => step(path, line),
  };
}
