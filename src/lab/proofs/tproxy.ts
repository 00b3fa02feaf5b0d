/** TPROXY: the proxy is found under the address of the origin server, and answers from it. */

import { tproxy4 } from '../../../platforms/linux/tproxy4/mechanism.ts';
import { endpoint, formatEndpoint } from '../../endpoint.ts';
import type { Endpoint, Family, Protocol } from '../../verdict.ts';
import { type Arrival, answer, anyAddress, arrival, type Caller, call, reached } from '../conversation.ts';
import { mustGoDirect, origin, originServer, PROXY_PORT, type Proof, proofId, rowIds } from '../proof.ts';
import type { Rule } from '../rules.ts';
import { type Listener, ProofFailed, type Stage } from '../stage.ts';

export const tproxyProofs: readonly Proof[] = ([4, 6] as const).flatMap((family) =>
  (['tcp', 'udp'] as const).map((protocol) => ({
    id: proofId('tproxy4', 'tproxy', family, protocol),
    title:
      protocol === 'tcp'
        ? 'TPROXY: the accepted socket bears the server’s address'
        : 'TPROXY: the datagram tells its destination, and the answer comes from there',
    rows: rowIds('tproxy4', ['lookup', 'accept'], [family], protocol),
    families: [family],
    run: (stage: Stage) => prove(stage, family, protocol),
  })),
);

async function prove(stage: Stage, family: Family, protocol: Protocol): Promise<void> {
  const { lab } = stage;
  const destination = origin(family, protocol);
  const server = originServer(stage, family, protocol);
  const proxy = transparentListener(stage, family, protocol);
  await mustGoDirect(stage, lab.client, proxy, server);
  await stage.install([tproxyRule(destination, protocol)]);

  const caller = call(stage, lab.client, destination, protocol);
  const arrived = reached(await arrival(stage, caller, [proxy, server]), proxy);
  mustBeUnchanged(stage, arrived, caller);
  await answerTransparently(stage, arrived, caller);
  mustBeInferred(stage, arrived, destination);
}

export function transparentListener(stage: Stage, family: Family, protocol: Protocol): Listener {
  const at = endpoint(anyAddress(family), PROXY_PORT);
  return stage.listen('proxy', stage.lab.gateway, at, protocol, { operation: 'accept', family, protocol });
}

export function tproxyRule(destination: Endpoint, protocol: Protocol): Rule {
  return { kind: 'tproxy', protocol, destination, port: PROXY_PORT };
}

/** Nothing was rewritten: both addresses are those that the client used. */
export function mustBeUnchanged(stage: Stage, arrived: Arrival, caller: Caller): void {
  const local =
    caller.protocol === 'tcp' ? 'local address of the accepted socket' : 'destination in the control message';
  stage.expect(local, arrived.local, caller.to);
  stage.expect('client as the proxy sees it', arrived.peer, caller.local);
}

/** TCP answers on the connection. A UDP proxy needs a second socket, bound to the original destination. */
export async function answerTransparently(stage: Stage, arrived: Arrival, caller: Caller): Promise<void> {
  if (caller.protocol === 'tcp') return answer(stage, arrived, caller);
  const { family } = caller.to;
  const fd = stage.open(stage.lab.gateway, family, 'udp');
  stage.prepare(fd, { operation: 'spoof', family, protocol: 'udp' }, 'answering socket');
  stage.must(stage.native.bind(fd, caller.to), `answering socket ${formatEndpoint(caller.to)}`);
  return answer(stage, arrived, caller, fd);
}

/** What `origdst lookup` says of the accepted socket. For UDP the control message was the lookup. */
export function mustBeInferred(stage: Stage, arrived: Arrival, expected: Endpoint): void {
  const { protocol, host } = arrived.listener;
  if (protocol === 'udp') return;
  const found = stage.native.lookup('tproxy4', { fd: arrived.fd, protocol, netns: host.netns });
  for (const step of found.steps) stage.note(step, `proxy: ${step.target}`);
  stage.expect('original destination', found.original, expected);
  const attempt = { ...found, protocol, peer: arrived.peer, local: arrived.local };
  const verdict = tproxy4.concludeLookup?.(attempt).verdict;
  if (verdict !== 'inferred')
    throw new ProofFailed('wrong-verdict', `the lookup concludes ${verdict}, not inferred`);
}
