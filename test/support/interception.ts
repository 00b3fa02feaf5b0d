/** Which client was on its way to where: as the client, the proxy and `lookup` have it. */

import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { endpoint, formatEndpoint } from '../../src/endpoint.ts';
import type { LookupResult } from '../../src/inquiry.ts';
import type { LookupVerdict } from '../../src/verdict.ts';
import { lookupJson } from './cli.ts';
import type { RunningProxy } from './proxy.ts';
import type { ClientStream } from './streams.ts';

/** Both as ADDRESS:PORT, so that three witnesses can be compared as text. */
export interface Interception {
  client: string;
  original: string;
}

/** From the bare addresses and ports that proxies log. */
export function interception(from: string, fromPort: string, to: string, toPort: string): Interception {
  for (const address of [from, to]) assert.notEqual(isIP(address), 0, `'${address}' is no address`);
  return {
    client: formatEndpoint(endpoint(from, Number(fromPort))),
    original: formatEndpoint(endpoint(to, Number(toPort))),
  };
}

/** The clients' own view. */
export function wanted(clients: readonly ClientStream[]): Interception[] {
  return inOrder(clients.map(({ name, to }) => ({ client: name, original: formatEndpoint(to) })));
}

export function inOrder(list: readonly Interception[]): Interception[] {
  return list.toSorted((a, b) => a.client.localeCompare(b.client));
}

/** The forms of asking about a proxy in another process and another namespace. */
export const WAYS: Record<string, (proxy: RunningProxy) => string[]> = {
  'by name: --process': ({ program }) => ['--process', program],
  'by its process: --pid': ({ worker }) => ['--pid', String(worker)],
  'by its listener: --port --netns': ({ port, worker }) => [
    '--port',
    String(port),
    '--netns',
    String(worker),
  ],
};

/**
 * What `origdst lookup --json` says about a proxy: all of it, so that a connection that is no
 * interception, reported as one, is seen. Only other proxies of the same name are left out.
 */
export function lookedUp(
  proxy: RunningProxy,
  args: readonly string[],
  verdict: LookupVerdict,
): Interception[] {
  const { code, results, stderr } = lookupJson(args);
  const own = results.filter(({ flow }) => flow.pid !== null && proxy.pids.includes(flow.pid));
  assert.notEqual(own.length, 0, `nothing was found: ${stderr}`);
  for (const result of own) assert.equal(result.verdict, verdict, JSON.stringify(result, null, 2));
  assert.equal(code, 0);
  return inOrder(own.map(fromResult));
}

function fromResult({ flow, original }: LookupResult): Interception {
  assert(flow.peer !== null && original !== null);
  return interception(flow.peer.address, String(flow.peer.port), original.address, String(original.port));
}
