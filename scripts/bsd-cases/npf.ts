/** Cases of NPF: every IOC_NPF_CONN_LOOKUP that was recorded. */

import {
  bytes,
  type Case,
  type CaseCall,
  type CaseEndpoint,
  FOREIGN,
  type RecordedStep,
  type Source,
} from './recording.ts';

const DIRECTION_OUT = 2n;
const HEADER = 19;

type Members = Map<string, bigint | string | Buffer | Members>;

export function npfCases(source: Source): void {
  for (const step of source.steps) {
    if (step.call === 'open' && step.result < 0) refusedOpen(source, step);
    if (step.call !== 'ioctl' || typeof step.target === 'string') continue;
    if (step.target.name === 'IOC_NPF_CONN_LOOKUP') lookup(source, step);
    else if (step.result < 0) refusal(source, step);
  }
  for (const [family, name] of [
    [4, 'lookup-unknown-tuple'],
    [6, 'lookup-tcp6-unknown-tuple'],
  ] as const) {
    probe(source, family, source.find(name));
  }
  refusedProbe(source, source.find('uid1000-inherited-fd'));
  everyInterface(source);
  highPort(source);
  errorInReply(source);
  for (const connection of ['tcp4-redirected', 'tcp4-not-redirected', 'tcp6-redirected'])
    bySocket(source, connection);
  for (const { step, call } of source.steps) {
    if (call === 'open') source.leave(step, 'another node, opened');
    if (call === 'setsockopt' || call === 'recvmsg') source.leave(step, 'the control messages are no lookup');
    if (step.startsWith('switch-')) source.leave(step, 'the test program’s own');
  }
}

function opened(source: Source): CaseCall {
  return source.call(source.find('open-rdonly'));
}

function refusedOpen(source: Source, step: RecordedStep): void {
  const path = (step.target as Record<string, string>).path ?? '';
  if (!path.startsWith('/dev/np') && path !== '/dev/nodrv') {
    source.leave(step.step, 'another mechanism’s device');
    return;
  }
  const derived = path === '/dev/npf' ? undefined : 'the recording opened another node';
  const call = source.call(step, derived, { call: 'open /dev/npf 0' });
  const question = { operation: 'lookup', family: 4, protocol: 'tcp' } as const;
  source.add({ name: `probe, device: ${step.note}`, operation: 'probe', question, calls: [call] });
  const flow = known(source);
  source.add({
    name: `lookup, device: ${step.note}`,
    operation: 'lookup',
    flow,
    calls: [call],
    recordedOriginal: null,
  });
}

function known(source: Source): NonNullable<Case['flow']> {
  const flow = decode(source.find('lookup-tcp4'));
  if (flow === null) throw new Error('lookup-tcp4 is not as the backend asks');
  return flow;
}

function lookup(source: Source, step: RecordedStep): void {
  const flow = decode(step);
  if (flow === null) {
    refusal(source, step);
    return;
  }
  source.add({
    name: `${step.step}: ${step.note.split('; asked')[0]}`,
    operation: 'lookup',
    flow,
    calls: [opened(source), source.call(step)],
    recordedOriginal: original(step),
  });
}

function original(step: RecordedStep): string | null {
  return /oaddr:oport ([^;]+);/.exec(step.note)?.[1] ?? null;
}

function refusal(source: Source, step: RecordedStep): void {
  if (step.result >= 0 || step.errorName === 'ESRCH') {
    source.leave(step.step, 'the backend never asks like this, and has the same answer elsewhere');
    return;
  }
  source.add({
    name: `${step.step}: ${step.note.split('; asked')[0]}`,
    operation: 'lookup',
    flow: known(source),
    calls: [
      opened(source),
      source.answer(
        step,
        { call: `ioctl ${source.recording.constants.IOC_NPF_CONN_LOOKUP}` },
        'the backend asks with a well-formed request',
      ),
    ],
    recordedOriginal: null,
  });
}

/** The request is that of the recording with other addresses, protocol tcp, interface lo0. */
function probe(source: Source, family: 4 | 6, step: RecordedStep): void {
  const version = source.call(source.find('version'));
  const raw = bytes(step.in?.[1]?.hex ?? '');
  for (const name of ['saddr', 'daddr']) raw.write(FOREIGN[family], offsetOf(raw, name), 'hex');
  for (const name of ['sport', 'dport']) raw.fill(0, offsetOf(raw, name), offsetOf(raw, name) + 8);
  const request = { call: callOf(step), in: [step.in?.[0]?.hex ?? '', raw.toString('hex')] };
  source.add({
    name: `probe, IPv${family}: ${step.note.split('; asked')[0]}`,
    operation: 'probe',
    question: { operation: 'lookup', family, protocol: 'tcp' },
    calls: [
      opened(source),
      version,
      source.answer(step, request, 'the probe asks for documentation addresses'),
    ],
  });
  if (family === 6) return;
  source.add({
    name: 'probe: another version of NPF',
    operation: 'probe',
    question: { operation: 'lookup', family, protocol: 'tcp' },
    calls: [opened(source), { ...version, out: ['17000000'], derived: 'a version that is not the header’s' }],
  });
}

function refusedProbe(source: Source, step: RecordedStep): void {
  source.add({
    name: `probe: ${step.note.split('; asked')[0]}`,
    operation: 'probe',
    question: { operation: 'lookup', family: 4, protocol: 'tcp' },
    calls: [
      opened(source),
      source.answer(
        step,
        { call: `ioctl ${source.recording.constants.IOC_NPF_VERSION}` },
        'NPF asks for the super-user at every request',
      ),
    ],
  });
}

/** The clients of the recordings only went to low ports. */
function highPort(source: Source): void {
  const step = source.find('lookup-tcp4');
  const [reference, reply] = step.out ?? [];
  const raw = bytes(reply?.hex ?? '');
  raw.writeUInt16BE(8081, offsetOf(raw, 'oport'));
  source.add({
    name: 'lookup-tcp4, a high port',
    operation: 'lookup',
    flow: known(source),
    calls: [
      opened(source),
      source.call(step, 'the recorded answer, with port 8081', {
        out: [reference?.hex ?? '', raw.toString('hex')],
      }),
    ],
    recordedOriginal: original(step)?.replace(/:\d+$/, ':8081') ?? null,
  });
}

/** The request went through, and the list that came back says why there is no answer. */
function errorInReply(source: Source): void {
  const step = source.find('lookup-tcp4');
  const [reference, reply] = step.out ?? [];
  const raw = bytes(reply?.hex ?? '');
  raw.writeUInt32LE(3, offsetOf(raw, 'errno'));
  source.add({
    name: 'lookup-tcp4, an error in the reply',
    operation: 'lookup',
    flow: known(source),
    calls: [
      opened(source),
      source.call(step, 'the recorded answer, with errno 3', {
        out: [reference?.hex ?? '', raw.toString('hex')],
      }),
    ],
    recordedOriginal: null,
  });
}

/** Where the interface is not named, all of them are tried: two that refuse and the one that answers. */
function everyInterface(source: Source): void {
  const { interface: _, ...flow } = known(source);
  const entry = (name: string) => Buffer.concat([Buffer.from(name.padEnd(16, '\0')), Buffer.alloc(128)]);
  const list = Buffer.concat(['wm0', 'wm0', 'lo0'].map(entry)).toString('hex');
  const room = Buffer.alloc(16);
  room.writeInt32LE(128 * 144);
  const answered = Buffer.alloc(16);
  answered.writeInt32LE(3 * 144);
  const derived = 'from networking(4); SIOCGIFCONF was not recorded';
  const listing = (result: number): CaseCall[] => [
    { call: 'socket 2 2 0', result: 9, derived },
    {
      call: 'ioctl 0xc0106926',
      in: [room.toString('hex')],
      out: [answered.toString('hex'), list],
      result,
      derived,
    },
  ];
  const other = source.call(source.find('lookup-tcp4-other-interface-name'));
  const none = source.call(source.find('lookup-unknown-tuple'));
  source.add({
    name: 'interface not named: the second one answers',
    operation: 'lookup',
    flow,
    calls: [opened(source), ...listing(0), other, source.call(source.find('lookup-tcp4'))],
    recordedOriginal: original(source.find('lookup-tcp4')),
  });
  const unknown = decode(source.find('lookup-unknown-tuple'));
  if (unknown === null) throw new Error('lookup-unknown-tuple is not as the backend asks');
  const { interface: __, ...unknownFlow } = unknown;
  source.add({
    name: 'interface not named: none answers',
    operation: 'lookup',
    flow: unknownFlow,
    calls: [opened(source), ...listing(0), { ...none, in: [], derived: 'the same tuple on wm0' }, none],
    recordedOriginal: null,
  });
}

function bySocket(source: Source, connection: string): void {
  const step = source.find(
    connection.endsWith('not-redirected') ? `lookup-${connection}` : `lookup-${connection.slice(0, 4)}`,
  );
  const flow = decode(step);
  source.add({
    name: `by descriptor: ${connection}`,
    operation: 'lookup',
    flow: { fd: true, protocol: 6, interface: flow?.interface ?? 'lo0' },
    calls: [
      ...['getsockname', 'getpeername'].map((name) => source.call(source.find(`${connection}-${name}`))),
      opened(source),
      source.call(step),
    ],
    recordedOriginal: original(step),
  });
}

function callOf(step: RecordedStep): string {
  return `ioctl ${(step.target as Record<string, string>).request}`;
}

/** null where the request is not of the form that the backend sends: {key: {… ifname, di: out}}. */
function decode(step: RecordedStep): NonNullable<Case['flow']> | null {
  const raw = bytes(step.in?.[1]?.hex ?? '');
  // A list whose end is missing, or whose first bytes are not those of one.
  if (raw.length < HEADER || raw.subarray(0, 3).toString('hex') !== '6c0000') return null;
  if (Number(raw.readBigUInt64LE(11)) !== raw.length - HEADER) return null;
  const key = members(raw, HEADER, raw.length).get('key');
  if (!(key instanceof Map)) return null;
  const [protocol, ifname, saddr, daddr] = ['proto', 'ifname', 'saddr', 'daddr'].map((name) => key.get(name));
  if (typeof protocol !== 'bigint' || typeof ifname !== 'string' || key.get('di') !== DIRECTION_OUT)
    return null;
  if (!Buffer.isBuffer(saddr) || !Buffer.isBuffer(daddr) || saddr.length !== daddr.length) return null;
  if (protocol !== 6n && protocol !== 17n) return null;
  const endpoint = (address: Buffer, port: string): CaseEndpoint => {
    const wire = Buffer.alloc(8);
    wire.writeBigUInt64LE(key.get(port) as bigint);
    return { family: address.length === 4 ? 4 : 6, hex: address.toString('hex'), port: wire.readUInt16BE(0) };
  };
  return {
    fd: false,
    protocol: Number(protocol),
    local: endpoint(saddr, 'sport'),
    peer: endpoint(daddr, 'dport'),
    interface: ifname,
  };
}

/** The pairs of a packed list. Source: nvlist_pack of libnv; see platforms/netbsd/npf/nvlist.h. */
function members(raw: Buffer, from: number, to: number): Members {
  const found: Members = new Map();
  let at = from;
  while (at + HEADER <= to) {
    const type = raw[at];
    const nameLength = raw.readUInt16LE(at + 1);
    const size = Number(raw.readBigUInt64LE(at + 3));
    const name = raw.subarray(at + HEADER, at + HEADER + nameLength - 1).toString();
    const start = at + HEADER + nameLength;
    const data = raw.subarray(start, start + size);
    if (type === 3) found.set(name, data.readBigUInt64LE());
    else if (type === 4) found.set(name, data.subarray(0, -1).toString());
    else if (type === 5) found.set(name, members(raw, start + HEADER, start + size));
    else if (type === 7) found.set(name, data);
    at = start + size;
  }
  return found;
}

function offsetOf(raw: Buffer, name: string): number {
  return raw.indexOf(`${name}\0`) + name.length + 1;
}
