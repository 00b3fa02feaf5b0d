import { type Mechanism, questions } from '../../../src/mechanism.ts';

/** Source: pf(4). */
export const pf: Mechanism = {
  name: 'pf',
  title: 'PF rdr and rdr-to, undone by DIOCNATLOOK',
  os: ['freebsd', 'openbsd', 'netbsd'],
  evidence: 'kernel-state',
  questions: questions(['lookup'], [4, 6], ['tcp', 'udp']),
  traces: ['/dev/pf'],
  explain:
    'A translation rule rewrites the destination and PF’s state remembers it; the proxy asks /dev/pf ' +
    'with DIOCNATLOOK. On OpenBSD 7.6 the kernel answers ENOENT to it and the states are read ' +
    'instead; divert-to is the better choice there.',
};
