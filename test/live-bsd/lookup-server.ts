/**
 * A proxy of the least kind, run inside a jail or routing domain: for each connection it has `origdst lookup` ask the
 * accepted socket, as inetd(8) would, and prints the JSON on a line.
 *
 *   node test/live-bsd/lookup-server.ts ADDRESS PORT MECHANISM
 */

import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';

const [address = '127.0.0.1', port = '0', mechanism = 'auto'] = process.argv.slice(2);
const DEV = join(import.meta.dirname, '..', '..', 'bin', 'dev.js');

const server = createServer({ pauseOnConnect: true }, (socket) => {
  const child = spawn(process.execPath, [DEV, 'lookup', '--fd', '0', '--mechanism', mechanism, '--json'], {
    stdio: [socket, 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  child.on('close', (code) => {
    process.stdout.write(`${JSON.stringify({ code, answer: JSON.parse(text || 'null') })}\n`);
    socket.destroy();
  });
});

server.listen(Number(port), address, () => process.stdout.write('{"listening":true}\n'));
