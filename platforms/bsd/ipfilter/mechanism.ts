import { type Mechanism, questions } from '../../../src/mechanism.ts';

/** Source: ipnat(4), ipf(4). */
export const ipfilter: Mechanism = {
  name: 'ipfilter',
  title: 'IPFilter rdr, undone by SIOCGNATL',
  os: ['freebsd', 'netbsd'],
  evidence: 'kernel-state',
  questions: questions(['lookup'], [4, 6], ['tcp', 'udp']),
  traces: ['/dev/ipnat'],
  explain:
    'An `rdr` rule rewrites the destination and the NAT table remembers it; the proxy asks ' +
    '/dev/ipnat. On FreeBSD SIOCGNATL is known to panic the kernel, so there the table is iterated ' +
    'instead.',
};
