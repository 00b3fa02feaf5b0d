/** Both sides at once: the client believes that it talks to the server, the server that it talks to the client. */

import type { Family, Protocol } from '../../verdict.ts';
import { answer, arrival, call, reached, spoofing } from '../conversation.ts';
import { mustGoDirect, origin, originServer, type Proof, proofId, rowIds } from '../proof.ts';
import type { Stage } from '../stage.ts';
import { mustShowGateway } from './spoof.ts';
import { answerTransparently, mustBeUnchanged, tproxyRule, transparentListener } from './tproxy.ts';

export const transparentProofs: readonly Proof[] = ([4, 6] as const).flatMap((family) =>
  (['tcp', 'udp'] as const).map((protocol) => ({
    id: proofId('tproxy4', 'transparent', family, protocol),
    title: 'A proxy that neither side can see',
    rows: rowIds('tproxy4', ['accept', 'spoof'], [family], protocol),
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
  await mustShowGateway(stage, server, family);
  // The socket match comes first: what a transparent socket waits for is not intercepted anew.
  await stage.install([{ kind: 'divert', family, protocol }, tproxyRule(destination, protocol)]);

  const caller = call(stage, lab.client, destination, protocol);
  const inner = reached(await arrival(stage, caller, [proxy, server]), proxy);
  mustBeUnchanged(stage, inner, caller);

  // Under the client's very address and port: nothing but the sequence numbers tells the proxy.
  const upstream = call(stage, lab.gateway, destination, protocol, spoofing(caller.local, protocol));
  const outer = reached(await arrival(stage, upstream, [server, proxy]), server);
  stage.expect('client as the server sees it', outer.peer, caller.local);
  await answer(stage, outer, upstream);
  await answerTransparently(stage, inner, caller);
}
