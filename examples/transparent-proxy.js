// A transparent TCP proxy: what a rule redirects here is carried on to where the client meant to go.
//
//   nft add table ip proxy
//   nft add chain ip proxy pre '{ type nat hook prerouting priority dstnat; }'
//   nft add rule ip proxy pre tcp dport 80 redirect to :3129
//   node transparent-proxy.js 3129

import { connect, createServer } from 'node:net';
import { originalDestination } from 'origdst';

const port = Number(process.argv[2] ?? 3129);

createServer({ allowHalfOpen: true }, (client) => {
  client.on('error', () => client.destroy());
  const target = whereTo(client);
  if (target === null) return client.destroy();
  console.log(`${client.remoteAddress} -> ${target.address}:${target.port}`);
  const server = connect({ host: target.address, port: target.port, allowHalfOpen: true });
  server.on('error', () => client.destroy());
  client.on('close', () => server.destroy());
  client.pipe(server).pipe(client);
}).listen(port, () => console.log(`listening on port ${port}`));

/** Null for a connection that was not redirected: carrying it on would come back here. */
function whereTo(client) {
  try {
    const target = originalDestination(client);
    return target?.port === client.localPort ? null : target;
  } catch {
    return null; // the client has gone already
  }
}
