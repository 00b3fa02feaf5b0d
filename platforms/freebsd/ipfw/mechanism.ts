import { type Mechanism, questions } from '../../../src/mechanism.ts';

/** Source: ipfw(8), ip(4) of FreeBSD. */
export const ipfw: Mechanism = {
  name: 'ipfw',
  title: 'ipfw fwd, the packet unchanged',
  os: ['freebsd'],
  evidence: 'socket-name',
  questions: questions(['lookup'], [4, 6], ['tcp', 'udp']),
  traces: [],
  explain:
    'A `fwd` rule hands the packet to a local socket without rewriting it: the accepted socket’s own ' +
    'name is the original destination, for UDP the control message IP_ORIGDSTADDR. Nothing in the ' +
    'kernel asserts that it was intercepted.',
};
