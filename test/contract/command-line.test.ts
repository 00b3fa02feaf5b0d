/** The contract that all commands share: usage errors, colour, closed pipes, help. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, release, type } from 'node:os';
import { describe, test } from 'node:test';
import { origdst, RUN } from '../support/cli.ts';
import { assertSchema } from '../support/schema.ts';

describe('nonsense is refused with 2, a sentence on stderr, and nothing on stdout', () => {
  const CASES: [string[], RegExp][] = [
    [['lookup'], /no connection is named/],
    [['lookup', '--fd', '999'], /descriptor 999 is not open/],
    [['lookup', '--fd', '0'], /is not a socket/],
    [['lookup', '--fd', 'x'], /integer/],
    [['lookup', '--fd', '-1'], /greater than or equal to 0/],
    [['lookup', '--port', '65536'], /less than or equal to 65535/],
    [['lookup', '--port', '0'], /greater than or equal to 1/],
    [['lookup', '--peer', '192.0.2.1:80'], /--local/],
    [
      ['lookup', '--peer', '192.0.2.1', '--local', '192.0.2.2:80'],
      /a port is missing, e\.g\. 192\.0\.2\.1:80/,
    ],
    [['lookup', '--peer', '192.0.2.1:99999', '--local', '192.0.2.2:80'], /port 99999 is not from 1 to 65535/],
    [['lookup', '--peer', '2001:db8::1:80', '--local', '192.0.2.2:80'], /not ADDRESS:PORT or \[IPV6\]:PORT/],
    [['lookup', '--peer', '[2001:db8::1]:80', '--local', '192.0.2.2:80'], /different families/],
    [
      ['lookup', '--peer', '300.0.2.1:80', '--local', '192.0.2.2:80'],
      /'300\.0\.2\.1' is not an IPv4 address/,
    ],
    [['lookup', '--pid', '1', '--process', 'squid'], /do not go together/],
    [['lookup', '--pid', '4194305'], /no process 4194305/],
    [['lookup', '--pid', '1', '--netns', 'x'], /a process has a namespace of its own/],
    [['lookup', '--port', '80', '--netns', 'no-such-name'], /namespace 'no-such-name': open .* says ENOENT/],
    [['lookup', '--mechanism', 'iptables', '--fd', '0'], /mechanism/],
    [['lookup', '--nonsense'], /--nonsense/],
    [['lookup', 'word'], /word/],
    [['capabilities', '--mechanism', 'x'], /mechanism/],
    [['no-such-command'], /there is no command 'no-such-command'; there are capabilities, /],
    [['no-such-command', '--help'], /no-such-command/],
  ];
  for (const [args, sentence] of CASES) {
    test(args.join(' '), () => {
      const ran = origdst(args);
      assert.equal(ran.code, 2, ran.stderr);
      assert.equal(ran.stdout, '');
      assert.match(ran.stderr, sentence);
      assert(!ran.stderr.includes('    at '), 'a stack trace is no sentence');
    });
  }
});

test('a mechanism of another system: 4', () => {
  const ran = origdst(['lookup', '--mechanism', 'pf', '--fd', '0']);
  assert.equal(ran.code, 4);
  assert.match(ran.stderr, /this host \(linux\) has no lookup by pf/);
});

test('nothing listens there, no such process name: 3', () => {
  assert.equal(origdst(['lookup', '--port', '1']).code, 3);
  const ran = origdst(['lookup', '--process', 'no-such-program']);
  assert.equal(ran.code, 3);
  assert.match(ran.stderr, /no process is called 'no-such-program'/);
});

test('a process that has accepted nothing: 3, and its children are named', async () => {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 30000)'], { stdio: 'ignore' });
  const ran = origdst(['lookup', '--pid', String(process.pid)]);
  child.kill('SIGKILL');
  assert.equal(ran.code, 3, ran.stderr);
  assert.match(
    ran.stderr,
    new RegExp(`process ${process.pid} \\(.*\\) holds no accepted tcp connection; .*\\b${child.pid}\\b`),
  );
});

test('without the native module, lookup says so: 4', () => {
  const ran = origdst(['lookup', '--fd', '0'], { env: { ORIGDST_NATIVE: '/nonexistent/origdst.node' } });
  assert.equal(ran.code, 4);
  assert.match(ran.stderr, /native module could not be loaded/);
  assert.match(ran.stderr, /mend: /);
});

test('lookup --json has the published shape', () => {
  const ran = origdst(['lookup', '--json', '--peer', '192.0.2.9:9', '--local', '192.0.2.8:8']);
  assert.equal(ran.code, 3);
  assertSchema('lookup', JSON.parse(ran.stdout));
});

describe('colour', () => {
  /** Through script(1), so that stdout is a terminal. */
  const onTerminal = (env: NodeJS.ProcessEnv) =>
    spawnSync('script', ['-qec', `${process.execPath} ${RUN} capabilities`, '/dev/null'], {
      encoding: 'utf8',
      env: { ...process.env, TERM: 'xterm', ...env },
    }).stdout;

  test('on a terminal', () => assert(onTerminal({ NO_COLOR: '' }).includes('\u001b[32mavailable')));
  test('not with NO_COLOR', () => assert(!onTerminal({ NO_COLOR: '1' }).includes('\u001b')));
  test('not on a dumb terminal', () => assert(!onTerminal({ TERM: 'dumb' }).includes('\u001b')));
  test('not in a pipe, even when forced by the environment', () => {
    assert(!origdst(['capabilities'], { env: { FORCE_COLOR: '1' } }).stdout.includes('\u001b'));
  });
  test('no line is wider than 80 columns in a pipe', () => {
    for (const line of origdst(['capabilities']).stdout.split('\n')) assert(line.length <= 80, line);
  });
});

test('a closed pipe ends it without a word', () => {
  const ran = spawnSync(
    'bash',
    ['-c', `"${process.execPath}" "${RUN}" capabilities --json | head -1; exit \${PIPESTATUS[0]}`],
    {
      encoding: 'utf8',
    },
  );
  assert.equal(ran.stderr, '');
  assert.equal(ran.stdout, '{\n');
});

describe('help', () => {
  test('origdst --help names the commands', () => {
    const ran = origdst(['--help']);
    assert.equal(ran.code, 0);
    assert.match(ran.stdout, /capabilities/);
    assert.match(ran.stdout, /lookup/);
  });
  for (const command of ['capabilities', 'lookup']) {
    test(`help ${command} and ${command} --help are the same`, () => {
      assert.equal(origdst(['help', command]).stdout, origdst([command, '--help']).stdout);
    });
    test(`${command} --help has examples`, () => {
      const ran = origdst([command, '--help']);
      assert.equal(ran.code, 0);
      assert.match(ran.stdout, /EXAMPLES/);
      assert.match(ran.stdout, new RegExp(`\\$ origdst ${command} `));
    });
  }
});

describe('--version', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

  test('names the addon, the kernel and Node', () => {
    const { code, stdout, stderr } = origdst(['--version']);
    const [own, addon, kernel, node, ...rest] = stdout.split('\n');
    assert.equal(own, `origdst ${version}`);
    assert.match(addon ?? '', /^addon {3}\/.*\/origdst\.node, Node-API 8$/);
    assert.equal(kernel, `kernel  ${type()} ${release()} ${arch()}`);
    assert.equal(node, `Node    ${process.versions.node}, Node-API ${process.versions.napi}`);
    assert.deepEqual(rest, ['']);
    assert.equal(code, 0, stderr);
  });

  test('says why there is no addon', () => {
    const { code, stdout } = origdst(['--version'], { env: { ORIGDST_NATIVE: '/nonexistent/origdst.node' } });
    assert.match(stdout, /^addon {3}not loaded: .*\/nonexistent\/origdst\.node/m);
    assert.match(stdout, /^ {2}mend: /m);
    assert.equal(code, 0);
  });
});
