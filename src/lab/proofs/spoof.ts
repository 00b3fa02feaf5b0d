/** A connection of the gateway under the client's address: the server sees the client, and data flows back. */

import { endpoint } from '../../endpoint.ts';
import type { Family, Protocol } from '../../verdict.ts';
import { answer, arrival, call, reached, spoofing } from '../conversation.ts';
import { UPLINK } from '../lab.ts';
import { borrowed, originServer, type Proof, proofId, rowIds } from '../proof.ts';
import { type Listener, ProofFailed, type Stage } from '../stage.ts';

export const spoofProofs: readonly Proof[] = ([4, 6] as const).flatMap((family) =>
  (['tcp', 'udp'] as const).map((protocol) => ({
    id: proofId('tproxy4', 'spoof', family, protocol),
    title: 'The gateway connects under the client’s address',
    rows: rowIds('tproxy4', ['spoof'], [family], protocol),
    families: [family],
    run: (stage: Stage) => prove(stage, family, protocol),
  })),
);

async function prove(stage: Stage, family: Family, protocol: Protocol): Promise<void> {
  const server = originServer(stage, family, protocol);
  await mustBeRefused(stage, family, protocol);
  await mustShowGateway(stage, server, family);
  await stage.install([{ kind: 'divert', family, protocol }]);

  const client = borrowed(family);
  const caller = call(stage, stage.lab.gateway, server.at, protocol, spoofing(client, protocol));
  const arrived = reached(await arrival(stage, caller, [server]), server);
  stage.expect('client as the server sees it', arrived.peer, client);
  stage.expect('own address of the gateway’s socket', caller.local, client);
  await answer(stage, arrived, caller);
}

/** Control: without the option the client's address cannot even be bound. */
async function mustBeRefused(stage: Stage, family: Family, protocol: Protocol): Promise<void> {
  await stage.control('without the option', async () => {
    const fd = stage.open(stage.lab.gateway, family, protocol);
    const step = stage.note(
      stage.native.bind(fd, borrowed(family)),
      'the client’s address',
      'without the option',
    );
    if (step.errorName !== 'EADDRNOTAVAIL') {
      throw new ProofFailed('control-succeeded', 'the client’s address can be bound without the option, too');
    }
  });
}

/** Control: the same traffic without the option shows the server the gateway. */
export async function mustShowGateway(stage: Stage, server: Listener, family: Family): Promise<void> {
  await stage.control('without the option', async () => {
    const caller = call(stage, stage.lab.gateway, server.at, server.protocol);
    const arrived = reached(await arrival(stage, caller, [server]), server);
    stage.expect('client as the server sees it', arrived.peer, endpoint(UPLINK[family], caller.local.port));
    await answer(stage, arrived, caller);
  });
}
