/** Cases of IPFilter: SIOCGNATL of NetBSD (and of a mended FreeBSD), SIOCGENITER of FreeBSD. */

import {
  bytes,
  type Case,
  type CaseCall,
  FOREIGN,
  type RecordedStep,
  type Source,
  sockaddr,
} from './recording.ts';

const OBJECT_NATLOOKUP = 9;

function opened(source: Source): CaseCall {
  return source.has('open-rdonly')
    ? source.call(source.find('open-rdonly'))
    : { call: 'open /dev/ipnat 0', result: 6, derived: 'not in this recording' };
}

function refusedOpens(source: Source): void {
  for (const step of source.steps) {
    if (step.call !== 'open' || step.result >= 0) continue;
    const exact = typeof step.target === 'object' && step.target.path === '/dev/ipnat';
    const derived = exact ? undefined : 'the recording opened another node';
    const call = source.call(step, derived, { call: 'open /dev/ipnat 0' });
    const question = { operation: 'lookup', family: 4, protocol: 'tcp' } as const;
    source.add({ name: `probe, device: ${step.step}`, operation: 'probe', question, calls: [call] });
    const flow = flowOf(source, 'tcp4-redirected');
    source.add({
      name: `lookup, device: ${step.step}`,
      operation: 'lookup',
      flow,
      calls: [call],
      recordedOriginal: null,
    });
  }
}

function flowOf(source: Source, connection: string, protocol = 6): NonNullable<Case['flow']> {
  const name = (of: string) => sockaddr(source.find(`${connection}-${of}`).out?.[0]?.hex ?? '');
  return { fd: false, protocol, peer: name('getpeername'), local: name('getsockname') };
}

/** SIOCGNATL: each request of the recording becomes the flow that it asks about. */
export function natlookupCases(source: Source, unsafe: boolean): void {
  refusedOpens(source);
  for (const step of source.steps) {
    if (step.call !== 'ioctl' || typeof step.target === 'string') continue;
    if (step.target.name === 'SIOCGNATL') natlookup(source, step, unsafe);
    else if (step.errorName === 'EINVAL' && !step.step.startsWith('geniter')) refusal(source, step, unsafe);
  }
  probeWith(source, 'gnatl-no-rules');
  probeWith(source, 'gnatl-before-enable');
  for (const { step } of source.steps) {
    if (step.startsWith('geniter')) source.leave(step, 'this backend asks with SIOCGNATL');
  }
  bySocket(source, unsafe);
  leaveRest(source);
}

function natlookup(source: Source, step: RecordedStep, unsafe: boolean): void {
  const flow = decode(step);
  if (flow === null || (step.result < 0 && step.errorName !== 'ESRCH' && step.errorName !== 'EIO')) {
    refusal(source, step, unsafe);
    return;
  }
  if (typeof step.target === 'object' && step.target.openFlags === 'O_RDWR') {
    source.leave(step.step, 'the backend never opens read-write; the answer is that of gnatl-tcp4');
    return;
  }
  source.add({
    name: `${step.step}: ${step.note.split('; asked')[0]}`,
    operation: 'lookup',
    flow: { ...flow, unsafe },
    calls: [opened(source), source.call(step)],
    recordedOriginal: /nl_real ([^;]+)$/.exec(step.note)?.[1] ?? null,
  });
}

function refusal(source: Source, step: RecordedStep, unsafe: boolean): void {
  if (step.result >= 0 || step.errorName === 'ESRCH') {
    source.leave(step.step, 'the backend never asks like this, and has the same answer elsewhere');
    return;
  }
  source.add({
    name: `${step.step}: ${step.note.split('; asked')[0]}`,
    operation: 'lookup',
    flow: { ...flowOf(source, 'tcp4-redirected'), unsafe },
    calls: [
      opened(source),
      source.answer(
        step,
        { call: `ioctl ${source.recording.constants.SIOCGNATL}` },
        'the backend asks with a well-formed request',
      ),
    ],
    recordedOriginal: null,
  });
}

/** null where the backend would never send such a request. */
function decode(step: RecordedStep): NonNullable<Case['flow']> | null {
  const object = bytes(step.in?.[0]?.hex ?? '');
  const look = bytes(step.in?.[1]?.hex ?? '');
  if (look.length !== 64 || object.readUInt32LE(0) !== 5010200) return null;
  if (object.readUInt32LE(4) !== 64 || object.readUInt32LE(16) !== OBJECT_NATLOOKUP) return null;
  const family = look.readInt32LE(48);
  const protocol = { 1: 6, 2: 17 }[look.readInt32LE(52)];
  if ((family !== 4 && family !== 6) || protocol === undefined) return null;
  if (family === 6 && look.subarray(4, 16).every((byte) => byte === 0)) return null;
  if (typeof step.target === 'object' && String(step.target.openFlags).includes('/dev/ipl')) return null;
  const length = family === 4 ? 4 : 16;
  const endpoint = (address: number, port: number) =>
    ({
      family,
      hex: look.subarray(address, address + length).toString('hex'),
      port: look.readUInt16BE(port),
    }) as const;
  return { fd: false, protocol, local: endpoint(0, 56), peer: endpoint(16, 58) };
}

function probeWith(source: Source, name: string): void {
  if (!source.has(name)) return;
  const step = source.find(name);
  for (const family of [4, 6] as const) {
    for (const protocol of ['tcp', 'udp'] as const) {
      const look = bytes(step.in?.[1]?.hex ?? '');
      look.fill(0);
      look.write(FOREIGN[family], 0, 'hex');
      look.write(FOREIGN[family], 16, 'hex');
      look.writeInt32LE(family, 48);
      look.writeInt32LE(protocol === 'tcp' ? 1 : 2, 52);
      look.writeUInt16BE(9, 56);
      look.writeUInt16BE(9, 58);
      const request = {
        call: `ioctl ${source.recording.constants.SIOCGNATL}`,
        in: [step.in?.[0]?.hex ?? '', look.toString('hex')],
      };
      source.add({
        name: `probe, IPv${family} ${protocol}: ${name}`,
        operation: 'probe',
        question: { operation: 'lookup', family, protocol },
        calls: [opened(source), source.answer(step, request, 'the probe asks for documentation addresses')],
      });
    }
  }
}

function bySocket(source: Source, unsafe: boolean): void {
  for (const connection of ['tcp4-redirected', 'tcp6-redirected', 'tcp4-not-redirected']) {
    const name = `gnatl-${connection.replace(/-redirected$/, '').replace('tcp4-not', 'tcp4-not-redirected')}`;
    if (!source.has(`${connection}-getsockname`) || !source.has(name)) continue;
    source.add({
      name: `by descriptor: ${connection}`,
      operation: 'lookup',
      flow: { fd: true, protocol: 6, unsafe },
      calls: [
        source.call(source.find(`${connection}-getsockname`)),
        source.call(source.find(`${connection}-getpeername`)),
        opened(source),
        source.call(source.find(name)),
      ],
      recordedOriginal: /nl_real ([^;]+)$/.exec(source.find(name).note)?.[1] ?? null,
    });
  }
}

/** Each iteration of the recording, with the connection that it is searched for. */
const ITERATIONS: [string, string, string[]][] = [
  ['geniter-before-enable', 'tcp4-redirected', ['-0']],
  ['geniter-empty-table', 'tcp4-redirected', ['-0']],
  ['geniter-tcp4-one-session', 'tcp4-redirected', ['-0']],
  ['geniter-tcp4-unknown-tuple', 'tcp4-redirected-second', ['-0']],
  ['geniter-two-sessions', 'tcp4-redirected', ['-0', '-1']],
  ['geniter-not-redirected', 'tcp4-not-redirected', ['-0', '-1']],
  ['geniter-tcp6', 'tcp6-redirected', ['-0']],
  ['geniter-after-disable', 'tcp4-redirected', ['-0']],
];

export function geniterCases(source: Source): void {
  refusedOpens(source);
  for (const [group, connection, entries] of ITERATIONS) {
    source.add(iteration(source, group, { ...flowOf(source, connection) }, entries));
  }
  const name = sockaddr(source.find('udp4-redirected-recvmsg').out?.[0]?.hex ?? '');
  const local = { family: 4, hex: '7f000001', port: 5355 } as const;
  source.add(iteration(source, 'geniter-udp4', { fd: false, protocol: 17, peer: name, local }, ['-0']));
  const walk = iteration(source, 'geniter-tcp6', flowOf(source, 'tcp4-redirected'), ['-0', '-1', '-2', '-3']);
  source.add({ ...walk, name: 'geniter-tcp6, searched to its end' });
  staleToken(source);
  sourceTranslated(source);
  bySocketIterated(source);
  for (const step of source.steps)
    if (/^geniter-.*(rev|type|object|table|data|items)/.test(step.step)) refusedWalk(source, step);
  refusedWalk(source, source.find('ioctl-unknown-request'));
  refusedWalk(source, source.find('gnatl-on-dev-null'));
  for (const family of [4, 6] as const) {
    for (const group of ['geniter-empty-table', 'geniter-after-disable']) {
      const { calls } = iteration(source, group, flowOf(source, 'tcp4-redirected'), ['-0']);
      const question = { operation: 'lookup', family, protocol: 'tcp' } as const;
      source.add({ name: `probe, IPv${family}: ${group}`, operation: 'probe', question, calls });
    }
  }
  for (const { step } of source.steps) {
    if (/^geniter/.test(step))
      source.leave(step, 'the walk stops at the entry that it wants, or at the last');
  }
  leaveRest(source);
}

function iteration(source: Source, group: string, flow: NonNullable<Case['flow']>, entries: string[]): Case {
  const notes = entries.map((entry) => source.find(`${group}${entry}`).note).join(' ');
  const { peer } = flow;
  const text = peer === undefined ? '' : `osrc ${address(peer.hex)}:${peer.port} odst `;
  const original = text === '' ? null : (notes.split(text)[1]?.split(' ')[0] ?? null);
  return {
    name: group,
    operation: 'lookup',
    flow,
    calls: [
      opened(source),
      ...entries.map((entry) => source.call(source.find(`${group}${entry}`))),
      source.call(source.find(`${group}-delete-token`)),
    ],
    recordedOriginal: original,
  };
}

function address(hex: string): string {
  const raw = bytes(hex);
  if (raw.length === 4) return [...raw].join('.');
  return `[${Array.from({ length: 8 }, (_, at) => raw.readUInt16BE(2 * at).toString(16)).join(':')}]`;
}

/** The source as the client sent it is what counts: the recorded session, with another one after NAT. */
function sourceTranslated(source: Source): void {
  const walk = iteration(source, 'geniter-tcp4-one-session', flowOf(source, 'tcp4-redirected'), ['-0']);
  const calls = walk.calls.map((call) => {
    const [object, request, session] = call.out ?? [];
    if (session === undefined) return call;
    const raw = bytes(session);
    raw.write('0a0a0a0a', source.recording.layout.nat_t?.offsets.nat_nsrc6 ?? 0, 'hex');
    return {
      ...call,
      out: [object ?? '', request ?? '', raw.toString('hex')],
      derived: 'another source after NAT',
    };
  });
  source.add({ ...walk, name: 'geniter-tcp4, its source translated as well', calls });
}

/** The token was left by an earlier walk: nothing is written until it is given back. */
function staleToken(source: Source): void {
  const again = iteration(source, 'geniter-tcp4-read-past-the-end', flowOf(source, 'tcp4-redirected'), [
    '-0',
  ]);
  const [open, ...walk] = again.calls;
  if (open === undefined) throw new Error('no open');
  const stale = ['geniter-tcp4-with-stale-token-of-same-process-0', 'geniter-tcp4-stale-delete-token'];
  source.add({
    ...again,
    name: 'geniter-tcp4-stale-token',
    calls: [open, ...stale.map((name) => source.call(source.find(name))), ...walk],
  });
}

function bySocketIterated(source: Source): void {
  for (const [connection, group] of [
    ['tcp4-redirected', 'geniter-tcp4-one-session'],
    ['tcp6-redirected', 'geniter-tcp6'],
  ] as const) {
    const walk = iteration(source, group, flowOf(source, connection), ['-0']);
    const names = ['getsockname', 'getpeername'].map((name) =>
      source.call(source.find(`${connection}-${name}`)),
    );
    source.add({
      ...walk,
      name: `by descriptor: ${connection}`,
      flow: { fd: true, protocol: 6 },
      calls: [...names, ...walk.calls],
    });
  }
}

function refusedWalk(source: Source, step: RecordedStep): void {
  if (step.result >= 0) return;
  const noToken = source.find('geniter-no-token-delete-token');
  source.add({
    name: `${step.step}: ${step.note}`,
    operation: 'lookup',
    flow: flowOf(source, 'tcp4-redirected'),
    calls: [
      opened(source),
      source.answer(
        step,
        { call: `ioctl ${source.recording.constants.SIOCGENITER}` },
        'the backend asks with a well-formed request',
      ),
      source.call(noToken),
    ],
    recordedOriginal: null,
  });
}

function leaveRest(source: Source): void {
  for (const { step, call } of source.steps) {
    if (call === 'open') source.leave(step, 'another node, opened');
    if (call === 'setsockopt' || call === 'recvmsg') source.leave(step, 'the control messages are no lookup');
    if (call === 'getsockname' || call === 'getpeername')
      source.leave(step, 'only the addresses are taken from it');
    if (step === 'enable' || step === 'disable') source.leave(step, 'the test program’s own');
    if (/pf-request|gnatl-on-dev-null/.test(step))
      source.leave(step, 'another device or request, same answer elsewhere');
  }
}
