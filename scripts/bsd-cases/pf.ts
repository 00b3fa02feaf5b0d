/** Cases of PF: every DIOCNATLOOK that was recorded, with the requests that follow it on ENOENT. */

import {
  bytes,
  type CaseCall,
  type CaseEndpoint,
  FOREIGN,
  type RecordedStep,
  type Source,
} from './recording.ts';

const PF_IN = 1;
const PF_OUT = 2;

interface Look {
  family: 4 | 6 | null;
  protocol: number;
  direction: number;
  rdomain: number;
  peer: CaseEndpoint;
  local: CaseEndpoint;
}

/** On OpenBSD the socket is asked for its routing domain; no recording has that call. */
export const rtable: CaseCall = {
  call: 'getsockopt 65535 4129',
  out: ['00000000'],
  result: 0,
  derived: 'not recorded: the listener of the recording was in routing domain 0',
};

export function pfCases(source: Source): void {
  const { recording } = source;
  const request = `ioctl ${recording.constants.DIOCNATLOOK}`;
  refusedOpens(source);
  for (const step of source.steps) {
    if (step.call !== 'ioctl' || typeof step.target === 'string') continue;
    const size = recording.layout.pfioc_natlook?.size;
    const isLook = `ioctl ${step.target.request}` === request && step.in?.[0]?.length === size;
    if (isLook && step.target.openFlags === 'O_RDONLY') lookup(source, step);
    else if (step.target.name !== 'DIOCGETSTATES') refusal(source, step);
  }
  bySocket(source);
  documented(source);
  leaveRest(source);
}

/** What the manual and the sources say and no recording shows. */
function documented(source: Source): void {
  if (!source.has('lookup-tcp4')) return;
  const step = source.find('lookup-tcp4');
  source.add({
    name: 'E2BIG: more than one state',
    operation: 'lookup',
    flow: addresses(decode(source, step)),
    calls: [
      open(source),
      source.call(step, 'from pf_ioctl.c, not recorded', { result: -7, errorName: 'E2BIG', out: [] }),
    ],
    recordedOriginal: null,
  });
  if (step.result >= 0) highPort(source, step);
  if (source.os === 'openbsd' && step.errorName === 'ENOENT') {
    largeTable(source, step);
    stateOf(source, step, 'a high port', (entry) => entry.writeUInt16BE(8081, 24 + 32 + 2));
    inet6State(source);
  }
}

/** The clients of the recordings only went to low ports. */
function highPort(source: Source, step: RecordedStep): void {
  const answer = bytes(step.out?.[0]?.hex ?? '');
  answer.writeUInt16BE(8081, layoutOf(source).offsets.rdport);
  source.add({
    name: 'lookup-tcp4, a high port',
    operation: 'lookup',
    flow: addresses(decode(source, step)),
    calls: [
      open(source),
      source.call(step, 'the recorded answer, with port 8081', { out: [answer.toString('hex')] }),
    ],
    recordedOriginal: originalOf(source, step)?.replace(/:\d+$/, ':8081') ?? null,
  });
}

/** The recorded state, changed, as the only one of the table. */
function stateOf(source: Source, step: RecordedStep, name: string, change: (entry: Buffer) => void): void {
  const [head, array] = source.find('states-tcp4').out ?? [];
  const entry = bytes(array?.hex ?? '');
  change(entry);
  const derived = `the recorded state, with ${name}`;
  source.add({
    name: `lookup-tcp4, a state with ${name}`,
    operation: 'lookup',
    flow: addresses(decode(source, step)),
    calls: [
      open(source),
      source.call(step),
      ...afterwards(source, step).slice(0, 1),
      source.call(source.find('states-tcp4'), derived, { out: [head?.hex ?? '', entry.toString('hex')] }),
    ],
    recordedOriginal: '198.51.100.7:8081',
  });
}

/** IPv6 never reached the test bed of OpenBSD: the recorded state with other addresses. */
function inet6State(source: Source): void {
  const [head, array] = source.find('states-tcp4').out ?? [];
  const entry = bytes(array?.hex ?? '');
  const [peer, local, original] = ['02', '01', '07'].map((last) => `20010db8${'00'.repeat(11)}${last}`);
  [peer, original, peer, local].forEach((address, at) => {
    entry.write(address ?? '', 24 + Math.floor(at / 2) * 40 + (at % 2) * 16, 'hex');
  });
  for (const af of [24 + 38, 64 + 38, 250]) entry[af] = 24;
  const derived = 'the recorded state and requests, with IPv6 addresses';
  const look = (direction: number): string => {
    const raw = bytes(source.find('lookup-tcp4').in?.[0]?.hex ?? '');
    raw.write(peer ?? '', 0, 'hex');
    raw.write(local ?? '', 16, 'hex');
    raw[76] = 24;
    raw[78] = direction;
    return raw.toString('hex');
  };
  const { peer: from, local: to } = decode(source, source.find('lookup-tcp4'));
  source.add({
    name: 'an IPv6 state',
    operation: 'lookup',
    flow: {
      fd: false,
      protocol: 6,
      peer: { family: 6, hex: peer ?? '', port: from.port },
      local: { family: 6, hex: local ?? '', port: to.port },
    },
    calls: [
      open(source),
      ...[PF_OUT, PF_IN].map((direction) =>
        source.call(source.find('lookup-tcp4'), derived, { in: [look(direction)] }),
      ),
      source.call(source.find('states-tcp4'), derived, { out: [head?.hex ?? '', entry.toString('hex')] }),
    ],
    recordedOriginal: '[2001:db8:0:0:0:0:0:7]:80',
  });
}

/** 64 entries fill the first request: the size is asked for, and the table read into mapped memory. */
function largeTable(source: Source, step: RecordedStep): void {
  const [, array] = source.find('states-tcp4').out ?? [];
  const other = bytes(array?.hex ?? '');
  other.writeUInt16BE(1, 24 + 32);
  other.writeUInt16BE(1, 64 + 32);
  const derived = 'the recorded entry, 64 others before it';
  const request = `ioctl ${source.recording.constants.DIOCGETSTATES}`;
  const read = (length: number, written: number, table?: string): CaseCall => ({
    call: request,
    in: [header(length)],
    out: [header(written), ...(table === undefined ? [] : [table])],
    result: 0,
    derived,
  });
  const others = other.toString('hex').repeat(64);
  source.add({
    name: 'more states than the stack holds',
    operation: 'lookup',
    flow: addresses(decode(source, step)),
    calls: [
      open(source),
      source.call(step),
      ...afterwards(source, step).slice(0, 1),
      read(64 * 264, 64 * 264, others),
      read(0, 65 * 264),
      read((65 + 64) * 264, 65 * 264, others + array?.hex),
    ],
    recordedOriginal: originalOf(source, step),
  });
}

function header(length: number): string {
  const raw = Buffer.alloc(16);
  raw.writeUInt32LE(length);
  return raw.toString('hex');
}

function refusedOpens(source: Source): void {
  for (const step of source.steps) {
    if (step.call !== 'open' || step.result >= 0) continue;
    const derived = 'the recording opened another node, with the same answer as /dev/pf would give';
    const exact = typeof step.target === 'object' && step.target.path === '/dev/pf';
    const call = source.call(step, exact ? undefined : derived, { call: 'open /dev/pf 0' });
    probe(source, `probe, device: ${step.note}`, [call]);
    source.add({
      name: `lookup, device: ${step.note}`,
      operation: 'lookup',
      flow: addresses(decode(source, source.find('lookup-unknown-tuple'))),
      calls: [call],
      recordedOriginal: null,
    });
  }
}

/** A request of the recording becomes the flow that it asks about. */
function lookup(source: Source, step: RecordedStep): void {
  const look = decode(source, step);
  const name = `${step.step}: ${step.note.split('; asked')[0]}`;
  if (look.family === null || look.direction !== PF_OUT) {
    refusal(source, step);
    return;
  }
  source.add({
    name,
    operation: 'lookup',
    flow: addresses(look),
    calls: [open(source), source.call(step), ...afterwards(source, step)],
    recordedOriginal: originalOf(source, step),
  });
  if (step.step === 'lookup-unknown-tuple' || step.step === 'disabled-never-enabled') {
    for (const family of [4, 6] as const) {
      probe(
        source,
        `probe, IPv${family}: ${step.note.split('; asked')[0]}`,
        [
          open(source),
          source.answer(
            step,
            foreignRequest(source, step, family),
            'the probe asks for documentation addresses',
          ),
        ],
        family,
      );
    }
  }
}

/** An answer that the backend’s own request would not provoke, given to it all the same. */
function refusal(source: Source, step: RecordedStep): void {
  const good = source.find(
    source.has('lookup-unknown-tuple') ? 'lookup-unknown-tuple' : 'natlook-on-diverted',
  );
  if (step.result >= 0) {
    source.leave(step.step, 'the backend never asks like this, and the answer is that of lookup-tcp4');
    return;
  }
  if (step.errorName === 'ENOENT') {
    source.leave(step.step, 'the backend never asks like this; ENOENT is the answer to lookup-unknown-tuple');
    return;
  }
  source.add({
    name: `${step.step}: ${step.note.split('; asked')[0]}`,
    operation: 'lookup',
    flow: addresses(decode(source, good)),
    calls: [
      open(source),
      source.answer(
        step,
        { call: `ioctl ${source.recording.constants.DIOCNATLOOK}` },
        'the backend asks with a well-formed request',
      ),
    ],
    recordedOriginal: null,
  });
}

/** ENOENT: the other direction is tried, and on OpenBSD the states are read. */
function afterwards(source: Source, step: RecordedStep): CaseCall[] {
  if (step.errorName !== 'ENOENT') return [];
  const inward = bytes(step.in?.[0]?.hex ?? '');
  inward[source.recording.layout.pfioc_natlook?.offsets.direction ?? 0] = PF_IN;
  const hex = inward.toString('hex');
  const recorded = source.steps.find((one) => one.in?.[0]?.hex === hex);
  const again =
    recorded === undefined
      ? source.call(step, 'the same with PF_IN was not recorded', { in: [hex] })
      : source.call(recorded);
  return source.os === 'openbsd' ? [again, states(source, step)] : [again];
}

const STATES: Record<string, string> = {
  'natlook-on-diverted': 'states-on-diverted',
  'disabled-never-enabled': 'states-disabled-never-enabled',
  'disabled-after-stop-live-connection': 'states-disabled-after-stop',
  'uid1000-inherited-fd': 'states-uid1000-inherited-fd',
};

/** The table as it was read beside this lookup, or as it was last read before. */
function states(source: Source, step: RecordedStep): CaseCall {
  const beside = STATES[step.step] ?? step.step.replace(/^lookup-/, 'states-');
  if (source.has(beside)) return source.call(source.find(beside));
  const before = source.steps
    .slice(0, source.steps.indexOf(step))
    .findLast((one) => /^states-(?!length|too|empty|disabled)/.test(one.step));
  return source.call(before ?? source.find('states-empty-table'), 'the table as it was last read before');
}

/** The whole way from the descriptor, for the connections whose names were recorded. */
function bySocket(source: Source): void {
  for (const prefix of ['tcp4', 'tcp6'] as const) {
    for (const kind of ['redirected', 'not-redirected'] as const) {
      const lookupStep = `lookup-${prefix}${kind === 'redirected' ? '' : '-not-redirected'}`;
      if (!source.has(`${prefix}-${kind}-getsockname`) || !source.has(lookupStep)) continue;
      const step = source.find(lookupStep);
      source.add({
        name: `by descriptor: ${prefix}-${kind}`,
        operation: 'lookup',
        flow: { fd: true, protocol: 6 },
        calls: [
          source.call(source.find(`${prefix}-${kind}-getsockname`)),
          source.call(source.find(`${prefix}-${kind}-getpeername`)),
          ...(source.os === 'openbsd' ? [rtable] : []),
          open(source),
          source.call(step),
          ...afterwards(source, step),
        ],
        recordedOriginal: originalOf(source, step),
      });
    }
  }
}

function leaveRest(source: Source): void {
  for (const { step, call } of source.steps) {
    if (call === 'open') source.leave(step, 'another node, opened');
    if (call === 'setsockopt' || call === 'recvmsg') source.leave(step, 'the control messages are no lookup');
    if (step.startsWith('states-'))
      source.leave(step, 'the backend asks for 64 entries, and reads this table elsewhere');
  }
}

function probe(source: Source, name: string, calls: CaseCall[], family: 4 | 6 = 4): void {
  const question = { operation: 'lookup', family, protocol: 'tcp' } as const;
  source.add({ name, operation: 'probe', question, calls });
}

function open(source: Source): CaseCall {
  return source.has('open-rdonly')
    ? source.call(source.find('open-rdonly'))
    : { call: 'open /dev/pf 0', result: 5, derived: 'not in this recording' };
}

/** What the probe asks, built from the layout that the guest printed. */
function foreignRequest(source: Source, step: RecordedStep, family: 4 | 6): Pick<CaseCall, 'call' | 'in'> {
  const { offsets } = layoutOf(source);
  const raw = Buffer.alloc(layoutOf(source).size);
  raw.write(FOREIGN[family], offsets.saddr ?? 0, 'hex');
  raw.write(FOREIGN[family], offsets.daddr ?? 0, 'hex');
  raw.writeUInt16BE(9, offsets.sport);
  raw.writeUInt16BE(9, offsets.dport);
  raw[offsets.af ?? 0] = Number(source.recording.constants[family === 4 ? 'AF_INET' : 'AF_INET6']);
  raw[offsets.proto ?? 0] = 6;
  raw[offsets.direction ?? 0] = PF_OUT;
  return { call: `ioctl ${(step.target as Record<string, string>).request}`, in: [raw.toString('hex')] };
}

function layoutOf(source: Source): { size: number; offsets: Record<string, number> } {
  const layout = source.recording.layout.pfioc_natlook;
  return (
    layout ?? {
      size: 80,
      offsets: {
        saddr: 0,
        daddr: 16,
        rdaddr: 48,
        rdomain: 64,
        sport: 68,
        dport: 70,
        rdport: 74,
        af: 76,
        proto: 77,
        direction: 78,
      },
    }
  );
}

function decode(source: Source, step: RecordedStep): Look {
  const { offsets } = layoutOf(source);
  const raw = bytes(step.in?.[0]?.hex ?? '');
  const at = (name: string) => offsets[name] ?? 0;
  const af = raw[at('af')];
  const v6 = source.os === 'freebsd' ? 28 : 24;
  const length = af === v6 ? 16 : 4;
  const family = af === 2 ? 4 : af === v6 ? 6 : null;
  const endpoint = (address: string, port: string): CaseEndpoint => ({
    family: family ?? 4,
    hex: raw.subarray(at(address), at(address) + length).toString('hex'),
    port: raw.readUInt16BE(at(port)),
  });
  return {
    // Four bytes under AF_INET6 are no address that a flow could have.
    family: step.step === 'lookup-af-inet6-with-v4-bytes' ? null : family,
    protocol: raw[at('proto')] ?? 0,
    direction: raw[at('direction')] ?? 0,
    rdomain: offsets.rdomain === undefined ? 0 : raw.readUInt16LE(at('rdomain')),
    peer: endpoint('saddr', 'sport'),
    local: endpoint('daddr', 'dport'),
  };
}

function addresses({ protocol, peer, local, rdomain }: Look) {
  return { fd: false, protocol, peer, local, ...(rdomain === 0 ? {} : { rdomain }) };
}

/** The answer in the words of the note, of this step or of the states read after it. */
function originalOf(source: Source, step: RecordedStep): string | null {
  const answered = /rdaddr:rdport ([^,]+),/.exec(step.note)?.[1];
  if (answered !== undefined) return answered;
  if (source.os !== 'openbsd' || step.errorName !== 'ENOENT') return null;
  const note = source.find(states(source, step).step ?? '').note;
  return states(source, step).derived === undefined
    ? (/original destination (\S+?)(;|$)/.exec(note)?.[1] ?? null)
    : null;
}
