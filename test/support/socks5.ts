/** As much of a SOCKS5 server (RFC 1928) as tells where its client wants to go. It connects to nowhere. */

import { createServer, type Server, type Socket } from 'node:net';
import { endpoint, formatEndpoint } from '../../src/endpoint.ts';

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const CONNECT = 1;
const IPV4 = 1;
/** Version, method count, one method. */
const GREETING_SIZE = 3;
/** Version, command, reserved, address type, IPv4 address, port. */
const REQUEST_SIZE = 10;

/** @param asked called with the ADDRESS:PORT of every CONNECT, before it is granted */
export function socks5Server(asked: (destination: string) => void): Server {
  return createServer((socket) => {
    // A proxy that is killed resets its connections; that is no news to a test that is over.
    socket.on('error', () => socket.destroy());
    serve(socket, asked).catch((error) => socket.destroy(error));
  });
}

async function serve(socket: Socket, asked: (destination: string) => void): Promise<void> {
  const greeting = await read(socket, GREETING_SIZE);
  if (greeting[0] !== VERSION || greeting[2] !== NO_AUTHENTICATION) throw new Error('not a SOCKS5 greeting');
  socket.write(Uint8Array.of(VERSION, NO_AUTHENTICATION));
  const request = await read(socket, REQUEST_SIZE);
  if (request[1] !== CONNECT || request[3] !== IPV4) throw new Error('not a CONNECT to an IPv4 address');
  asked(formatEndpoint(endpoint(request.subarray(4, 8).join('.'), request.readUInt16BE(8))));
  socket.write(Uint8Array.of(VERSION, 0, 0, IPV4, 0, 0, 0, 0, 0, 0));
  socket.resume();
}

async function read(socket: Socket, size: number): Promise<Buffer> {
  for (;;) {
    const bytes: Buffer | null = socket.read(size);
    if (bytes !== null) return bytes;
    await new Promise((resolve, reject) => {
      socket.once('readable', resolve).once('close', () => reject(new Error('closed')));
    });
  }
}
