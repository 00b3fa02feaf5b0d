/** `capabilities --prove`, everything, against the least that a lab without root can cost. */

import { fileURLToPath } from 'node:url';
import { compare, print } from './measure.ts';

const RUN = fileURLToPath(new URL('../bin/run.js', import.meta.url));
const PROVE = [RUN, 'capabilities', '--prove', '--json'];
const NOBODY = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];

export function benchProve(): void {
  const asNobody = {
    name: '--prove as an unprivileged user',
    command: 'setpriv',
    args: [...NOBODY, process.execPath, ...PROVE],
  };
  const timings = compare(
    [
      { name: 'unshare -Urn true', command: 'unshare', args: ['-Urn', 'true'] },
      { name: 'node -e 0', command: process.execPath, args: ['-e', '0'] },
      { name: 'origdst capabilities --prove', command: process.execPath, args: PROVE },
      ...(process.geteuid?.() === 0 ? [asNobody] : []),
    ],
    9,
  );
  print('Proving all mechanisms', timings, 'aim: under 1500 ms on two cores');
}
