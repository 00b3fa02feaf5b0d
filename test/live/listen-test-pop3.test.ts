/**
 * What p3scan did with IPFIRE: a client reads its mail from port 110 of a real server, the gateway
 * redirects it to port 8110, and the relay there carries it on to where the client meant to go.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { endpoint } from '../../src/endpoint.ts';
import { CLIENT, Lab, SERVER, UPLINK } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import type { Family } from '../../src/verdict.ts';
import { eventually } from '../support/eventually.ts';
import { ListenTest } from '../support/listen-test.ts';
import { RunningProxy } from '../support/proxy.ts';
import { keepReplies, routeMarkedLocally } from '../support/rules.ts';
import { Scratch } from '../support/scratch.ts';
import { heard, streamFrom } from '../support/streams.ts';

const native = requireNative();
const POP3 = 110;
const MESSAGE = 'From: tux@example.org\r\nSubject: redirected\r\n\r\nRead through a relay.\r\n';

describe('a mailbox on a server that the client names, read through a redirection', () => {
  const lab = new Lab(native);
  const scratch = new Scratch('dovecot');
  let server: RunningProxy;

  before(async () => {
    lab.gateway.run(
      'nft',
      ['-f', '-'],
      'table inet t { chain pre { type nat hook prerouting priority dstnat; tcp dport 110 redirect to :8110; }; }',
    );
    keepReplies(lab.gateway);
    routeMarkedLocally(lab.gateway);
    deliver(scratch);
    const config = scratch.write('dovecot.conf', configuration(scratch));
    server = new RunningProxy(native, lab.server, {
      program: 'dovecot',
      args: ['-F', '-c', config],
      port: POP3,
    });
    await server.up(native);
  });

  after(async () => {
    await server?.stop();
    scratch.remove();
    lab.close();
  });

  for (const family of [4, 6] satisfies Family[]) {
    for (const spoof of [false, true]) {
      test(`IPv${family}, --relay${spoof ? ' --spoof' : ''}`, async () => {
        const args = ['--port', '8110', '--relay', '--count', '1', ...(spoof ? ['--spoof'] : [])];
        const listener = await ListenTest.start(native, lab.gateway, args);
        after(() => listener.stop());
        const logins = logged(scratch).length;
        const { socket } = streamFrom(native, lab.client, endpoint(SERVER[family], POP3));
        after(() => socket.destroy());
        assert.equal(await readMail(socket), MESSAGE);

        assert.equal(await listener.exit(), 0);
        const [connection] = listener.connections;
        assert.deepEqual(connection?.original, { address: SERVER[family], port: POP3 });
        assert.equal(connection?.mechanism, 'netfilter');
        const login = await eventually(
          () => logged(scratch)[logins],
          () => `the server's log: ${scratch.lines('log').join('\n')}`,
        );
        assert.deepEqual(login, {
          client: spoof ? CLIENT[family] : UPLINK[family],
          server: SERVER[family],
        });
      });
    }
  }
});

/** RFC 1939: greeting, login, the first message, and goodbye. */
async function readMail(socket: Socket): Promise<string> {
  const say = async (line: string, end = '\r\n') => {
    socket.write(`${line}\r\n`);
    const answer = await heard(socket, end);
    assert.match(answer, /^\+OK/, line);
    return answer;
  };
  assert.match(await heard(socket, '\r\n'), /^\+OK/);
  await say('USER mary');
  await say('PASS secret');
  assert.match(await say('STAT'), /^\+OK 1 /);
  const [, message] = /^\+OK[^\n]*\n(.*)\.\r\n$/s.exec(await say('RETR 1', '\r\n.\r\n')) ?? [];
  await say('QUIT');
  return message ?? '';
}

/** Where the server saw its logins come from, and what address of its own was called. */
function logged(scratch: Scratch): { client: string | undefined; server: string | undefined }[] {
  return scratch
    .lines('log')
    .filter((line) => line.includes('Login: user=<mary>'))
    .map((line) => ({ client: /rip=([^,]+)/.exec(line)?.[1], server: /lip=([^,]+)/.exec(line)?.[1] }));
}

function deliver(scratch: Scratch): void {
  // The login process runs as another user, and finds its sockets below this folder.
  chmodSync(scratch.path, 0o755);
  for (const folder of ['cur', 'new', 'tmp'])
    mkdirSync(scratch.file(`mail/mary/${folder}`), { recursive: true });
  scratch.write('mail/mary/new/1.test', MESSAGE.replaceAll('\r\n', '\n'));
  execFileSync('chown', ['-R', 'mail:mail', scratch.file('mail')]);
}

function configuration(scratch: Scratch): string {
  return `
protocols = pop3
listen = *, ::
base_dir = ${scratch.file('run')}
state_dir = ${scratch.file('state')}
log_path = ${scratch.file('log')}
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=mail gid=mail home=${scratch.file('home')}
}
first_valid_uid = 1
mail_location = maildir:${scratch.file('mail')}/%u
service pop3-login {
  inet_listener pop3s {
    port = 0
  }
}
`;
}
