/** `capabilities --prove` as a user runs it: by whom, with which tools, on which hosts, and what it shows. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { CapabilityReport } from '../../src/matrix.ts';
import { origdst, type Ran, RUN } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { assertSchema } from '../support/schema.ts';

const NOBODY = 65534;
const PROVABLE = /^(netfilter|tproxy4)\./;

function report(ran: Ran): CapabilityReport {
  assert.notEqual(ran.stdout, '', ran.stderr);
  return JSON.parse(ran.stdout);
}

function assertAllProven(ran: Ran): CapabilityReport {
  const all = report(ran);
  for (const { id, verdict, cause } of all.results) {
    if (PROVABLE.test(id)) assert.equal(verdict, 'proven', `${id}: ${cause}`);
    else assert.notEqual(verdict, 'proven', id);
  }
  assert.equal(ran.code, 0, ran.stderr);
  assert.equal(ran.stderr, '', 'progress is for terminals');
  return all;
}

/** A command line, run by a shell in namespaces of its own; `$@` is `origdst capabilities --prove --json`. */
function within(unshare: readonly string[], script: string, env: NodeJS.ProcessEnv = {}, uid?: number): Ran {
  const command = [process.execPath, RUN, 'capabilities', '--prove', '--json'];
  const child = spawnSync('/usr/bin/unshare', [...unshare, '/bin/sh', '-euc', script, 'sh', ...command], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, ...env },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  return { code: child.status, stdout: child.stdout, stderr: child.stderr };
}

test('root: every row of netfilter and TPROXY is proven, in namespaces of the process', () => {
  const all = assertAllProven(origdst(['capabilities', '--prove', '--json']));
  assertSchema('capabilities', all);
  assert.equal(all.proof?.where, 'process');
  assert.deepEqual(all.proof?.modules, []);
  for (const row of all.results.filter(({ id }) => PROVABLE.test(id))) {
    assert.deepEqual(Object.keys(row), [
      'id',
      'mechanism',
      'operation',
      'family',
      'protocol',
      'verdict',
      'reason',
      'evidence',
      'cause',
      'remedy',
    ]);
    assert(
      row.evidence.some(({ call }) => call === 'prove'),
      `${row.id} names its proofs`,
    );
    assert(
      row.evidence.some(({ detail }) => detail.startsWith('control:')),
      `${row.id} has a control`,
    );
    assert(
      row.evidence.some(({ call }) => call === 'compare'),
      `${row.id} compares addresses`,
    );
  }
});

test('an unprivileged user: all the same, inside a user namespace of its own', () => {
  const all = assertAllProven(origdst(['capabilities', '--prove', '--json'], { uid: NOBODY }));
  assertSchema('capabilities', all);
  assert.equal(all.host.euid, NOBODY);
  assert.deepEqual(all.host.capabilities, []);
  assert.equal(all.proof?.where, 'user-namespace');
  const row = all.results.find(({ id }) => id === 'tproxy4.spoof.ipv4.tcp');
  assert(
    row?.evidence.some(({ errorName }) => errorName === 'EPERM'),
    'the host’s refusal stays in the evidence',
  );
  assert(row?.evidence.some(({ detail }) => detail === 'proven inside a user namespace of its own'));
});

test('a PATH without sbin, as ordinary users have it', () => {
  assertAllProven(
    origdst(['capabilities', '--prove', '--json'], { uid: NOBODY, env: { PATH: '/usr/bin:/bin' } }),
  );
});

/** Names of programs, and the files of Debian's packages that they are. */
const TOOLS = {
  nft: { nft: 'nft' },
  'iptables-nft': { 'iptables-nft': 'xtables-nft-multi', 'ip6tables-nft': 'xtables-nft-multi' },
  'iptables-legacy': {
    'iptables-legacy': 'xtables-legacy-multi',
    'ip6tables-legacy': 'xtables-legacy-multi',
  },
  iptables: { iptables: 'xtables-legacy-multi', ip6tables: 'xtables-legacy-multi' },
  none: {},
} as const;

/** A folder to be seen in the place of /usr/sbin: what is not in it is not installed. */
function installed(context: TestContext, tools: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'origdst-sbin-'));
  context.after(() => rmSync(folder, { recursive: true }));
  spawnSync('chmod', ['755', folder]);
  for (const [name, file] of Object.entries(tools)) {
    copyFileSync(realpathSync(`/usr/sbin/${file}`), join(folder, name));
  }
  return folder;
}

/** In a mount namespace of its own, so that the host keeps its programs. */
const WITH_SBIN =
  '/bin/mount --make-rprivate /; /bin/mount --bind "$SBIN" /usr/sbin; [ -L /sbin ] || /bin/mount --bind "$SBIN" /sbin; "$@"';
const PATH = '/usr/sbin:/usr/bin:/bin';

for (const [name, tools] of Object.entries(TOOLS).filter(([tool]) => tool !== 'none')) {
  for (const uid of [undefined, NOBODY]) {
    test(`only ${name} is installed, for ${uid === undefined ? 'root' : 'an unprivileged user'}`, (context) => {
      const SBIN = installed(context, tools);
      const unshare = uid === undefined ? ['-m'] : ['-Urm'];
      const all = assertAllProven(within(unshare, WITH_SBIN, { SBIN, PATH }, uid));
      assert.deepEqual(all.proof?.tools, [name === 'iptables' ? 'iptables-legacy' : name]);
    });
  }
}

test('neither nft nor iptables is installed: said plainly, and the rows stay as they were', (context) => {
  const SBIN = installed(context, TOOLS.none);
  const ran = within(['-m'], WITH_SBIN, { SBIN, PATH });
  assert.equal(ran.code, 4);
  const all = report(ran);
  assertSchema('capabilities', all);
  assert.equal(all.proof?.refusal?.reason, 'no-rule-tool');
  assert.match(all.proof?.refusal?.cause ?? '', /Neither nft nor iptables is installed/);
  assert.equal(all.proof?.refusal?.remedy, 'apt-get install nftables');
  assert.equal(all.summary.proven, 0);
  assert.equal(all.summary.broken, 0);
});

test('ip is not installed: said plainly, with the remedy', (context) => {
  const SBIN = installed(context, TOOLS.nft);
  const ran = within(['-m'], WITH_SBIN, { SBIN, PATH: '/usr/sbin' });
  assert.equal(ran.code, 4);
  const { proof, summary } = report(ran);
  assert.deepEqual([proof?.refusal?.reason, proof?.refusal?.remedy], ['no-ip', 'apt-get install iproute2']);
  assert.equal(summary.broken, 0);
});

/** The host itself is never touched: this one is a network namespace of its own. */
const DROP_EVERYTHING = `
nft -f - <<END
table inet shut {
  chain pre { type filter hook prerouting priority -500; policy drop; }
  chain in { type filter hook input priority -500; policy drop; }
  chain on { type filter hook forward priority -500; policy drop; }
  chain out { type filter hook output priority -500; policy drop; }
  chain post { type filter hook postrouting priority -500; policy drop; }
}
END
for all in all default; do
  echo 1 > /proc/sys/net/ipv4/conf/$all/src_valid_mark
  echo 1 > /proc/sys/net/ipv4/conf/$all/rp_filter
done
before=$(nft list ruleset)
`;

for (const uid of [undefined, NOBODY]) {
  test(`the host’s own rules drop everything, for ${uid === undefined ? 'root' : 'an unprivileged user'}`, () => {
    const script = `${DROP_EVERYTHING}"$@"; [ "$before" = "$(nft list ruleset)" ]`;
    assertAllProven(within(uid === undefined ? ['-n'] : ['-Urn'], script, {}, uid));
  });
}

test('user.max_user_namespaces=0: said to be the reason', () => {
  // The setting belongs to each user namespace: this one is not the host's.
  const ran = within(['-Ur'], 'echo 0 > /proc/sys/user/max_user_namespaces; "$@"', {}, NOBODY);
  assert.equal(ran.code, 5, ran.stderr);
  const { proof, summary } = report(ran);
  assert.equal(proof?.refusal?.reason, 'sysctl-max-user-namespaces');
  assert.match(proof?.refusal?.cause ?? '', /user\.max_user_namespaces is 0.*ENOSPC/);
  assert(proof?.evidence.some(({ call, errorName }) => call === 'unshare' && errorName === 'ENOSPC'));
  assert.equal(summary.proven, 0);
});

test('a seccomp filter forbids user namespaces, as Docker’s does: said to be the reason', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'origdst-seccomp-'));
  context.after(() => rmSync(folder, { recursive: true }));
  spawnSync('chmod', ['755', folder]);
  const filter = join(folder, 'deny');
  const source = fileURLToPath(new URL('../support/deny-unshare.c', import.meta.url));
  const built = spawnSync('cc', ['-Wall', '-Wextra', '-Werror', '-o', filter, source], { encoding: 'utf8' });
  assert.equal(built.status, 0, built.stderr);
  const child = spawnSync(filter, [process.execPath, RUN, 'capabilities', '--prove', '--json'], {
    encoding: 'utf8',
    uid: NOBODY,
    gid: NOBODY,
  });
  const { proof, results } = report({ code: child.status, stdout: child.stdout, stderr: child.stderr });
  assert.equal(child.status, 5);
  assert.equal(proof?.refusal?.reason, 'seccomp');
  assert.match(
    proof?.refusal?.cause ?? '',
    /seccomp filter .* forbids new namespaces: unshare CLONE_NEWUSER says EPERM/,
  );
  const lookup = results.find(({ id }) => id === 'netfilter.lookup.ipv4.tcp');
  assert.equal(lookup?.verdict, 'available', 'what can be said without a lab is still said');
});

test('root over itself but not over its network, as in a container with the host’s: a user namespace helps', () => {
  const all = assertAllProven(within(['-Ur'], '"$@"', {}, NOBODY));
  assert.equal(all.proof?.where, 'user-namespace');
});

test('--prove=ID proves one row, or one proof; a glob several', () => {
  const proven = (id: string) => {
    const ran = origdst(['capabilities', `--prove=${id}`, '--json']);
    const { results, proof } = report(ran);
    return {
      code: ran.code,
      rows: results.filter(({ verdict }) => verdict === 'proven').map((row) => row.id),
      proof,
    };
  };
  assert.deepEqual(proven('netfilter.lookup.ipv6.udp').rows, ['netfilter.lookup.ipv6.udp']);
  assert.deepEqual(proven('tproxy4.spoof.*').rows.length, 4);
  const one = proven('netfilter.dnat.ipv4.tcp');
  assert.deepEqual(one.rows, ['netfilter.lookup.ipv4.tcp']);
  assert.deepEqual(
    one.proof?.proofs.map(({ id }) => id),
    ['netfilter.dnat.ipv4.tcp'],
  );
  const other = proven('pf.*');
  assert.deepEqual([other.code, other.rows, other.proof?.refusal?.reason], [4, [], 'nothing-to-prove']);
});

test('what names nothing, and what shows proofs without any, is a usage error', () => {
  for (const args of [['--prove=nothing.such'], ['--prove', 'netfilter'], ['--verbose'], ['--keep-lab']]) {
    const { code, stdout, stderr } = origdst(['capabilities', ...args]);
    assert.deepEqual([code, stdout], [2, ''], args.join(' '));
    assert.match(stderr, /^origdst capabilities: .+\n {2}help: /, args.join(' '));
  }
});

test('--require with --prove is a gate on proofs', () => {
  const gate = (requirement: string) =>
    origdst(['capabilities', '--prove=netfilter.*', '--require', requirement, '--quiet']).code;
  assert.equal(gate('netfilter.*=proven'), 0);
  assert.equal(gate('tproxy4.accept.*=proven'), 3);
});

test('--verbose shows topology, rules, packets and steps', () => {
  const { stdout, code } = origdst(['capabilities', '--prove=tproxy4.transparent.ipv4.tcp', '--verbose']);
  assert.equal(code, 0);
  for (const text of [
    'client ── eth0 ══ inside ── gateway ── outside ══ eth0 ── server',
    'socket transparent 1 counter meta mark set 1 accept',
    'ip daddr 198.51.100.2 tcp dport 80 counter tproxy to :3128',
    'ip -4 rule add fwmark 1 lookup 100',
    'proven: tproxy4.accept.ipv4.tcp, tproxy4.spoof.ipv4.tcp',
    'compare client as the server sees it: is 192.0.2.2:',
  ]) {
    assert(stdout.includes(text), text);
  }
  assert.match(stdout, /inside {2}in {3}192\.0\.2\.2:\d+ > 198\.51\.100\.2:80 {2}tcp SYN\n/);
  assert.match(stdout, /outside out {2}192\.0\.2\.2:\d+ > 198\.51\.100\.2:80 {2}tcp SYN\n/);
});

for (const uid of [0, NOBODY]) {
  test(`--keep-lab by uid ${uid}: the printed commands enter the lab until the command is interrupted`, async (context) => {
    const child = spawn(
      process.execPath,
      [RUN, 'capabilities', '--prove=tproxy4.spoof.ipv4.tcp', '--keep-lab'],
      {
        uid,
        gid: uid,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    context.after(() => child.kill('SIGKILL'));
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
    }
    await eventually(
      () => text.includes('The labs are kept'),
      () => `the kept lab in: ${text}`,
    );
    const command = /^ *(nsenter .*) {3}# gateway$/m.exec(text)?.[1];
    assert(command !== undefined, text);
    const look = () =>
      spawnSync('sh', ['-c', `${command} ip -o address show dev inside`], {
        encoding: 'utf8',
        uid,
        gid: uid,
      });
    const seen = look();
    assert.match(seen.stdout, /192\.0\.2\.1\/24/, seen.stderr);
    child.kill('SIGINT');
    await eventually(
      () => child.exitCode !== null && look().status !== 0,
      () => 'the end of the lab',
    );
    assert.equal(child.exitCode, 0);
  });
}

test('a terminal gets a progress line, which is gone at the end', () => {
  const line = `${process.execPath} ${RUN} capabilities --prove=netfilter.* --json`;
  const { stdout } = spawnSync('script', ['-qec', `${line} > /dev/null`, '/dev/null'], {
    encoding: 'utf8',
    env: { ...process.env, TERM: 'xterm' },
  });
  assert(stdout.includes('\r\u001b[Kproving 1 of 13: netfilter.redirect.ipv4.tcp'), JSON.stringify(stdout));
  assert(stdout.endsWith('\r\u001b[K'), JSON.stringify(stdout.slice(-80)));
});
