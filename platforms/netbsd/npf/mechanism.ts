import { type Mechanism, questions } from '../../../src/mechanism.ts';

/** Source: npf(7), npf.conf(5). */
export const npf: Mechanism = {
  name: 'npf',
  title: 'NPF rdr, undone by IOC_NPF_CONN_LOOKUP',
  os: ['netbsd'],
  evidence: 'kernel-state',
  questions: questions(['lookup'], [4, 6], ['tcp', 'udp']),
  traces: ['/dev/npf'],
  explain:
    'A map rule rewrites the destination and NPF’s connection table remembers it; the proxy asks ' +
    '/dev/npf, naming interface and direction. It wants the super-user at open and at every request.',
};
