/** `origdst doctor` as a script and as a person meet it. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLIENT, SERVER } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import { Broken } from '../support/broken.ts';
import { origdst } from '../support/cli.ts';
import { assertSchema } from '../support/schema.ts';

const native = requireNative();
const NAT = 'type nat hook prerouting priority dstnat;';
const PORT = 18_130;

function scene(run: (broken: Broken) => void): () => void {
  return () => {
    const broken = new Broken(native);
    try {
      run(broken);
    } finally {
      broken.close();
    }
  };
}

describe('nonsense is refused with 2, and nothing is examined', () => {
  const CASES: [string[], RegExp][] = [
    [['--port', '0'], /greater than or equal to 1/],
    [['--source', '192.0.2.2:80'], /'192\.0\.2\.2:80' is not an IP address/],
    [['--destination', '192.0.2.2'], /a port is missing/],
    [['--source', '192.0.2.2', '--destination', '[2001:db8::1]:80'], /different families/],
    [['--netns', 'no-such-name'], /namespace 'no-such-name': open .* says ENOENT/],
    [['--severity', 'fatal'], /severity/],
    [['--seconds', '5'], /--trace/],
    [['--trace', 'tcp'], /is not PROTOCOL ADDRESS:PORT ADDRESS:PORT/],
  ];
  for (const [args, sentence] of CASES) {
    test(args.join(' '), () => {
      const ran = origdst(['doctor', ...args]);
      assert.equal(ran.code, 2, ran.stderr);
      assert.equal(ran.stdout, '');
      assert.match(ran.stderr, sentence);
    });
  }
});

test(
  'every document has the published shape, whatever is found',
  scene((broken) => {
    const documents = [
      broken.doctor(),
      broken.doctor('--port', `${PORT}`),
      broken.doctor('--source', CLIENT[6], '--destination', `[${SERVER[6]}]:80`),
      broken.doctorAs(65534, '--protocol', 'udp'),
      broken.doctorWith({ PATH: '/nonexistent' }),
    ];
    broken.chain(NAT, `tcp dport 80 redirect to :${PORT}`);
    documents.push(broken.doctor('--port', `${PORT}`));
    for (const { diagnosis } of documents) assertSchema('doctor', diagnosis);
  }),
);

test(
  'the same host twice gives the same document: nothing was changed',
  scene((broken) => {
    broken.chain(NAT, `tcp dport 80 redirect to :${PORT}`);
    const state = () =>
      broken.lab.gateway.run('sh', [
        '-c',
        'nft -a list ruleset; ip rule; ip -6 rule; ip route show table all; cat /proc/net/ip_tables_names; sysctl -a 2>/dev/null | grep -v -e random -e conntrack_count -e file-nr -e inode -e dentry -e ns_last_pid -e sched_domain -e acct',
      ]);
    const before = state();
    const first = broken.doctor('--port', `${PORT}`);
    assert.deepEqual(broken.doctor('--port', `${PORT}`), first);
    assert.equal(state(), before);
  }),
);

test(
  'for people: the cause first, plain text, one command to copy',
  scene((broken) => {
    broken.chain(NAT, 'tcp dport 80 redirect to :3128');
    broken.listen(PORT);
    const ran = broken.lab.gateway.within(() => origdst(['doctor', '--port', `${PORT}`]));
    assert.equal(ran.code, 3);
    assert.equal(ran.stderr, '');
    const [head, ...lines] = ran.stdout.split('\n');
    assert.equal(head, 'error  rule-other-target');
    assert(
      lines.includes(`  mend: nft 'replace rule inet t pre handle 2 tcp dport 80 redirect to :${PORT}'`),
    );
    assert.match(ran.stdout, /\n1 error(, \d+ notes?)?, \d+ checks\n$/);
    assert(!ran.stdout.includes('\u001b'));
  }),
);

test(
  '--port may be the port that clients connect to',
  scene((broken) => {
    broken.chain(NAT, `tcp dport 80 redirect to :${PORT}`);
    const { diagnosis } = broken.doctor('--port', '80');
    assert.equal(diagnosis.problems[0]?.id, 'no-listener');
    assert.match(diagnosis.problems[0]?.cause ?? '', new RegExp(`port ${PORT}`));
  }),
);
