import { type Mechanism, questions } from '../../../src/mechanism.ts';

/** Source: pf.conf(5), divert(4) of OpenBSD. */
export const divert: Mechanism = {
  name: 'divert',
  title: 'PF divert-to, the packet unchanged',
  os: ['openbsd'],
  evidence: 'socket-name',
  questions: questions(['lookup', 'accept'], [4, 6], ['tcp', 'udp']),
  traces: ['/dev/pf'],
  explain:
    'A `divert-to` rule hands the packet to a local socket without rewriting it: the accepted ' +
    'socket’s own name is the original destination; for UDP the control messages IP_RECVDSTADDR and ' +
    'IP_RECVDSTPORT.',
};
