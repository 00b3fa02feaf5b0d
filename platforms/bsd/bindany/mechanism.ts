import { type Mechanism, questions } from '../../../src/mechanism.ts';

/** Source: ip(4), ip6(4), getsockopt(2). */
export const bindany: Mechanism = {
  name: 'bindany',
  title: 'SO_BINDANY and IP_BINDANY, foreign addresses on a socket',
  os: ['freebsd', 'openbsd', 'netbsd'],
  evidence: 'socket-name',
  questions: questions(['accept', 'spoof'], [4, 6], ['tcp', 'udp']),
  traces: [],
  explain:
    'The option lets a socket bind to an address that no interface has, to accept for it or to send ' +
    'from it. FreeBSD and NetBSD have IP_BINDANY and IPV6_BINDANY, OpenBSD SO_BINDANY; all want the ' +
    'super-user.',
};
