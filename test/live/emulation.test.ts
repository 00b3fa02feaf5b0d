/** The emulation is the host's own kernel, changed for some processes: however it ends, nothing of it stays. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { Asker } from '../emulation/asker.ts';
import { Emulation } from '../emulation/emulation.ts';
import { eventually } from '../support/eventually.ts';

/** The cgroups of emulations, in a mount that ends with the look. */
function cgroups(): string[] {
  const script = 'mount -t cgroup2 none /mnt && cd /mnt && ls -d origdst-emulation-* 2>/dev/null || true';
  return execFileSync('unshare', ['--mount', 'sh', '-c', script], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean);
}

describe('the emulation goes', () => {
  for (const [how, end] of [
    ['with its standard input', (emulation: Emulation) => emulation.stop()],
    ['terminated', (emulation: Emulation) => void process.kill(emulation.pid, 'SIGTERM')],
    ['killed', (emulation: Emulation) => void process.kill(emulation.pid, 'SIGKILL')],
  ] as const) {
    test(how, async () => {
      const emulation = await Emulation.start();
      const own = `origdst-emulation-${emulation.pid}`;
      assert(cgroups().includes(own));
      const member = emulation.spawn('sleep', ['60'], { stdio: 'ignore' });
      const ended = once(member, 'exit');
      await end(emulation);
      await eventually(
        () => !cgroups().includes(own),
        () => `${own} to be removed`,
      );
      await ended; // what was left in it was ended with it
    });
  }

  test('other processes of the host are not in it', async () => {
    const emulation = await Emulation.start();
    await emulation.set('ipfire', 1);
    const inside = new Asker(emulation);
    const outside = new Asker(null);
    const answers = [];
    for (const asker of [inside, outside]) {
      const socket = await asker.make('socket', '2 1 0');
      answers.push((await asker.get(socket, 0, 200, 16)).error);
    }
    await Promise.all([inside.stop(), outside.stop(), emulation.stop()]);
    assert.deepEqual(answers, ['ENOENT', 'EOPNOTSUPP']);
  });
});
