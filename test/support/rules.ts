/** The rules that redirect port 80 to the listener, in the words of both tools. */

import type { LabHost } from '../../src/lab/host.ts';
import { GATEWAY, UPLINK } from '../../src/lab/lab.ts';

export const LISTENER_PORT = 8110;

export type Tool = 'nft' | 'iptables-legacy';
export type Redirection = 'redirect' | 'dnat' | 'output' | 'tproxy';

export function redirectPort80(host: LabHost, tool: Tool, how: Redirection): void {
  if (tool === 'nft') host.run('nft', ['-f', '-'], nft(how));
  else for (const line of iptables(how)) host.run(line[0] ?? '', line.slice(1));
  if (how === 'tproxy') routeMarkedLocally(host);
}

function nft(how: Redirection): string {
  const to = { redirect: '', dnat: '', output: '', tproxy: '' };
  to.redirect = `type nat hook prerouting priority dstnat; tcp dport 80 redirect to :${LISTENER_PORT}`;
  to.dnat = `type nat hook prerouting priority dstnat; tcp dport 80 dnat ip to ${UPLINK[4]}:${LISTENER_PORT}
    tcp dport 80 dnat ip6 to [${UPLINK[6]}]:${LISTENER_PORT}`;
  to.output = `type nat hook output priority -100; tcp dport 80 redirect to :${LISTENER_PORT}`;
  to.tproxy = `type filter hook prerouting priority mangle; tcp dport 80 tproxy to :${LISTENER_PORT} meta mark set 1 accept`;
  return `table inet origdst_test {\n  chain rules {\n    ${to[how]}\n  }\n}\n`;
}

function iptables(how: Redirection): string[][] {
  const match = ['-p', 'tcp', '--dport', '80', '-j'];
  const port = String(LISTENER_PORT);
  const both = (...args: string[]) => [
    ['iptables-legacy', '-w', ...args],
    ['ip6tables-legacy', '-w', ...args],
  ];
  switch (how) {
    case 'redirect':
      return both('-t', 'nat', '-A', 'PREROUTING', ...match, 'REDIRECT', '--to-ports', port);
    case 'dnat':
      return [
        [
          'iptables-legacy',
          '-w',
          '-t',
          'nat',
          '-A',
          'PREROUTING',
          ...match,
          'DNAT',
          '--to-destination',
          `${UPLINK[4]}:${port}`,
        ],
        [
          'ip6tables-legacy',
          '-w',
          '-t',
          'nat',
          '-A',
          'PREROUTING',
          ...match,
          'DNAT',
          '--to-destination',
          `[${UPLINK[6]}]:${port}`,
        ],
      ];
    case 'output':
      return both('-t', 'nat', '-A', 'OUTPUT', ...match, 'REDIRECT', '--to-ports', port);
    case 'tproxy':
      return both(
        '-t',
        'mangle',
        '-A',
        'PREROUTING',
        ...match,
        'TPROXY',
        '--on-port',
        port,
        '--tproxy-mark',
        '1/1',
      );
  }
}

/** Documentation/networking/tproxy.rst: marked packets are delivered locally, whatever their address. */
export function routeMarkedLocally(host: LabHost): void {
  host.ip('rule add fwmark 1 lookup 100', 'route add local 0.0.0.0/0 dev lo table 100');
  host.run('ip', ['-6', 'rule', 'add', 'fwmark', '1', 'lookup', '100']);
  host.run('ip', ['-6', 'route', 'add', 'local', '::/0', 'dev', 'lo', 'table', '100']);
}

/**
 * Replies to a foreign address that a transparent socket of this host has taken are for that socket,
 * and not to be forwarded: the `socket` match tells them from other packets of that address.
 */
export function keepReplies(host: LabHost): void {
  const rule = 'meta l4proto { tcp, udp } socket transparent 1 meta mark set 1 accept';
  const chain = `type filter hook prerouting priority mangle\n${rule}`;
  host.run('nft', ['-f', '-'], `table inet replies { chain pre { ${chain}\n }\n }\n`);
}

/** An address of the gateway on the client's side, for connections that nothing redirects. */
export const DIRECT = GATEWAY;
