/** Cases of the mechanisms that leave the packet unchanged: bindany, ipfw, divert. */

import { rtable } from './pf.ts';
import { bytes, type Case, type CaseCall, FOREIGN, type RecordedStep, type Source } from './recording.ts';

const REWRITTEN = 'another foreign address and port 0; length and family as recorded';

/** A sockaddr with the address that the backends bind to, and no port. */
function foreign(hex: string): string {
  const raw = bytes(hex);
  const family = raw.length === 16 ? 4 : 6;
  raw.writeUInt16BE(0, 2);
  raw.write(FOREIGN[family], family === 4 ? 4 : 8, 'hex');
  return raw.toString('hex');
}

function bind(source: Source, name: string): CaseCall {
  const step = source.find(name);
  return source.call(step, REWRITTEN, { in: [foreign(step.in?.[0]?.hex ?? '')] });
}

function socketCall(source: Source, family: 4 | 6, protocol: 'tcp' | 'udp'): CaseCall {
  const v6 = source.os === 'freebsd' ? 28 : 24;
  return {
    call: `socket ${family === 4 ? 2 : v6} ${protocol === 'tcp' ? 1 : 2} 0`,
    result: 7,
    derived: 'socket(2) was not recorded',
  };
}

export function bindanyCases(source: Source): void {
  for (const kind of ['tcp4', 'udp4', 'tcp6', 'udp6'] as const) {
    const family = kind.endsWith('4') ? 4 : 6;
    const protocol = kind.startsWith('tcp') ? 'tcp' : 'udp';
    const without = source.has(`${kind}-bind-nonlocal-without-option`) ? kind : 'tcp6';
    const socket = socketCall(source, family, protocol);
    const control = bind(source, `${without}-bind-nonlocal-without-option`);
    const calls = [
      socket,
      control,
      source.call(source.find(`${kind}-set`)),
      bind(source, `${kind}-bind-nonlocal-with-option`),
    ];
    for (const operation of ['accept', 'spoof'] as const) {
      source.add({
        name: `probe, ${operation} ${kind}`,
        operation: 'probe',
        question: { operation, family, protocol },
        calls,
      });
    }
    const question = { operation: 'accept', family, protocol } as const;
    source.add(prepare(`prepare ${kind}`, question, [source.call(source.find(`${kind}-set`))]));
    const refused = source.call(source.find(family === 4 ? 'uid1000-set' : 'uid1000-set-ipv6'));
    source.add({
      name: `probe, uid 1000 ${kind}`,
      operation: 'probe',
      question,
      calls: [socket, control, refused],
    });
    source.add(prepare(`prepare, uid 1000 ${kind}`, question, [refused]));
    const open = {
      ...bind(source, `${kind}-bind-nonlocal-with-option`),
      in: control.in ?? [],
      derived: 'as where the address is the host’s own',
    };
    source.add({
      name: `probe, the control succeeds ${kind}`,
      operation: 'probe',
      question,
      calls: [socket, open],
    });
    const none = source.call(
      source.find('unknown-option-ip-200'),
      'as for an option that the kernel does not know',
      {
        call: source.call(source.find(`${kind}-set`)).call,
      },
    );
    source.add({
      name: `probe, no such option ${kind}`,
      operation: 'probe',
      question,
      calls: [socket, control, none],
    });
  }
  wrongFamilies(source);
  for (const { step } of source.steps)
    source.leave(step, 'not what a backend does: it binds, sets and prepares');
}

/** The option of one family on a socket of the other, and on a socket of none. */
function wrongFamilies(source: Source): void {
  const wrong: [string, 4 | 6][] = [
    ['tcp6-set-the-ipv4-option', 4],
    ['tcp4-set-the-ipv6-option', 6],
    ['unix-socket-set', 4],
  ];
  for (const [name, family] of wrong) {
    if (!source.has(name)) continue;
    const question = { operation: 'accept', family, protocol: 'tcp' } as const;
    source.add(prepare(`prepare: ${name}`, question, [source.call(source.find(name))]));
  }
}

function prepare(name: string, question: NonNullable<Case['question']>, calls: CaseCall[]): Case {
  return {
    name,
    operation: 'prepare',
    question,
    flow: { fd: true, protocol: question.protocol === 'tcp' ? 6 : 17 },
    calls,
  };
}

/** ipfw and divert: the socket's name, and whether the address in it is this host's own. */
export function socketNameCases(source: Source, word: 'redirected' | 'diverted', binds: Source): void {
  const openbsd = source.os === 'openbsd' ? [rtable] : [];
  const control: CaseCall[] =
    source.os === 'openbsd'
      ? [{ ...rtable, derived: 'not recorded: the process was in routing domain 0' }]
      : [];
  const connections = source.steps
    .filter(({ step }) => step.endsWith('-getsockname'))
    .map(({ step }) => step.replace('-getsockname', ''));
  for (const connection of connections) {
    const named = source.find(`${connection}-getsockname`);
    const raw = named.out?.[0]?.hex ?? '';
    const own = connection.includes(`not-${word}`);
    const kind = raw.length === 32 ? 'tcp4' : 'tcp6';
    const bound = bytes(raw);
    bound.writeUInt16BE(0, 2);
    const answer = binds.find(`${kind}-bind-nonlocal-${own ? 'with' : 'without'}-option`);
    const { step: _, ...bindCall } = binds.call(
      answer,
      'from the recording of bind(2) to a foreign address: the answer, not the address',
      { in: [bound.toString('hex')] },
    );
    source.add({
      name: connection,
      operation: 'lookup',
      flow: { fd: true, protocol: 6 },
      calls: [
        source.call(named),
        source.call(source.find(`${connection}-getpeername`)),
        ...openbsd,
        socketCall(source, kind === 'tcp4' ? 4 : 6, 'udp'),
        ...control,
        bindCall,
      ],
      recordedOriginal: /local = (.+)$/.exec(named.note)?.[1] ?? null,
    });
  }
  const unconnected = connections[0] ?? '';
  source.add({
    name: 'a socket that is not connected',
    operation: 'lookup',
    flow: { fd: true, protocol: 17 },
    calls: [
      source.call(source.find(`${unconnected}-getsockname`)),
      {
        call: 'getpeername',
        result: -57,
        errorName: 'ENOTCONN',
        derived: 'from getpeername(2), not recorded',
      },
    ],
    recordedOriginal: null,
  });
  if (source.os === 'openbsd') otherDomain(source, binds);
  messages(source);
}

/** The listener is in a routing domain that is not the process’s: the control goes where it is. */
function otherDomain(source: Source, binds: Source): void {
  const named = source.find('tcp4-diverted-getsockname');
  const bound = bytes(named.out?.[0]?.hex ?? '');
  bound.writeUInt16BE(0, 2);
  const derived = 'from rdomain(4) and getsockopt(2): not recorded';
  const answer = binds.call(binds.find('tcp4-bind-nonlocal-without-option'), derived, {
    in: [bound.toString('hex')],
  });
  const { step: _, ...control } = answer;
  const enter: CaseCall = { call: 'setsockopt 65535 4129', in: ['02000000'], result: 0, derived };
  const calls = (entered: CaseCall[]): CaseCall[] => [
    source.call(named),
    source.call(source.find('tcp4-diverted-getpeername')),
    { ...rtable, out: ['02000000'], derived },
    socketCall(source, 4, 'udp'),
    { ...rtable, derived },
    ...entered,
  ];
  const flow = { fd: true, protocol: 6 };
  source.add({
    name: 'tcp4-diverted in routing domain 2',
    operation: 'lookup',
    flow,
    calls: calls([enter, control]),
    recordedOriginal: '203.0.113.9:81',
  });
  const refused: CaseCall = { ...enter, result: -1, errorName: 'EPERM' };
  source.add({
    name: 'tcp4-diverted in routing domain 2, which the user may not enter',
    operation: 'lookup',
    flow,
    calls: calls([refused]),
    recordedOriginal: null,
  });
}

/** The options by which datagrams carry their original destination. */
function messages(source: Source): void {
  const wanted =
    source.os === 'openbsd'
      ? { 4: ['udp4-opt-dstaddr', 'udp4-opt-dstport'], 6: ['udp6-opt-recvpktinfo', 'udp6-opt-dstport6'] }
      : { 4: ['udp4-opt-origdstaddr'], 6: ['udp6-opt-origdstaddr6'] };
  for (const family of [4, 6] as const) {
    const calls = wanted[family].map((name) => source.call(source.find(name)));
    const question = { operation: 'accept', family, protocol: 'udp' } as const;
    source.add(prepare(`prepare udp${family}`, question, calls));
    const lookup = { operation: 'lookup', family, protocol: 'udp' } as const;
    const socket = socketCall(source, family, 'udp');
    source.add({
      name: `probe udp${family}`,
      operation: 'probe',
      question: lookup,
      calls: [socket, ...calls],
    });
    const refused: CaseCall = {
      ...(calls[0] as CaseCall),
      result: -42,
      errorName: 'ENOPROTOOPT',
      derived: 'as on a kernel without the option',
    };
    source.add({
      name: `probe udp${family}, no such option`,
      operation: 'probe',
      question: lookup,
      calls: [socket, refused],
    });
  }
}

/** Is the mechanism's own module there? Neither was recorded with ipfw or divert. */
export function ipfwProbes(source: Source): void {
  const question = { operation: 'lookup', family: 4, protocol: 'tcp' } as const;
  const derived = 'from netinet/raw_ip.c and netpfil/ipfw/ip_fw_sockopt.c, not observed';
  const socket: CaseCall = { call: 'socket 2 3 255', result: 7, derived };
  const answers: [string, CaseCall[]][] = [
    ['ipfw is loaded', [socket, { call: 'getsockopt 0 48', result: -22, errorName: 'EINVAL', derived }]],
    [
      'ipfw is not loaded',
      [socket, { call: 'getsockopt 0 48', result: -42, errorName: 'ENOPROTOOPT', derived }],
    ],
    ['a user may not open a raw socket', [{ ...socket, result: -1, errorName: 'EPERM' }]],
  ];
  for (const [name, calls] of answers)
    source.add({ name: `probe, ${name}`, operation: 'probe', question, calls });
}

export function divertProbes(source: Source, pf: Source): void {
  const question = { operation: 'lookup', family: 4, protocol: 'tcp' } as const;
  for (const name of ['open-rdonly', 'uid1000-open', 'missing-node', 'unused-major']) {
    const { step: _, ...call } = pf.call(pf.find(name), `from the recording of pf: ${name}`, {
      call: 'open /dev/pf 0',
    });
    source.add({ name: `probe, ${pf.find(name).note}`, operation: 'probe', question, calls: [call] });
  }
}

export function leaveMessages(source: Source): void {
  const reason = (step: RecordedStep) => {
    if (step.call === 'recvmsg') return 'read by the tests of control messages';
    if (step.call === 'ioctl') return 'a lookup by PF: see the cases of pf';
    return 'the test program’s own';
  };
  for (const step of source.steps) source.leave(step.step, reason(step));
}
