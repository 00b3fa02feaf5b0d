/** Start-up: any command against a bare `node -e 0` of the same Node. */

import { fileURLToPath } from 'node:url';
import { Lab, SERVER } from '../src/lab/lab.ts';
import { type Native, requireNative } from '../src/native.ts';
import { type Contender, compare, print } from './measure.ts';

const RULES = `table ip bench {
  chain pre { type nat hook prerouting priority dstnat; tcp dport 80 redirect to :8110
  }
}
`;

const RUN = fileURLToPath(new URL('../bin/run.js', import.meta.url));

const origdst = (...args: string[]): Contender => ({
  name: `origdst ${args.join(' ')}`,
  command: process.execPath,
  args: [RUN, ...args],
});

export function benchStartup(): void {
  const native = requireNative();
  const lab = new Lab(native);
  const redirected = connectRedirected(native, lab);
  const timings = compare(
    [
      { name: 'node -e 0', command: process.execPath, args: ['-e', '0'] },
      { ...origdst('lookup', '--json', '--fd', '3'), fd: redirected },
      { ...origdst('lookup', '--fd', '3'), fd: redirected },
      origdst('capabilities', '--json'),
      origdst('capabilities'),
    ],
    40,
  );
  lab.close();
  print('start-up', timings, 'budget 3.0 x, aim 1.5 x');
}

/** A connection that nft redirected, as the proxy holds it. */
export function connectRedirected(native: Native, lab: Lab): number {
  lab.gateway.run('nft', ['-f', '-'], RULES);
  const listener = native.openSocket(4, 'tcp', lab.gateway.netns).fd ?? -1;
  native.bind(listener, { address: '0.0.0.0', port: 8110 });
  native.listen(listener, 1);
  const client = native.openSocket(4, 'tcp', lab.client.netns).fd ?? -1;
  native.connect(client, { address: SERVER[4], port: 80 });
  native.poll([listener], 'read', 5000);
  return native.accept(listener).result;
}
