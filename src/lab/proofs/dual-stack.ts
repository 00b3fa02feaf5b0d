/** One IPv6 socket that serves clients of both families, as most proxies listen. */

import { endpoint } from '../../endpoint.ts';
import type { Family, Protocol, Question } from '../../verdict.ts';
import { answer, arrival, call, reached } from '../conversation.ts';
import { GATEWAY } from '../lab.ts';
import { mustGoDirect, origin, originServer, PROXY_PORT, type Proof, rowIds } from '../proof.ts';
import type { Listener, Stage } from '../stage.ts';
import { mustBeTranslated } from './netfilter.ts';
import { answerTransparently, mustBeInferred, mustBeUnchanged, tproxyRule } from './tproxy.ts';

const FAMILIES = [4, 6] as const;

export const dualStackProofs: readonly Proof[] = [
  {
    id: 'netfilter.redirect.dual.tcp',
    title: 'REDIRECT to a dual-stack listener: the lookup goes by the client’s family',
    rows: rowIds('netfilter', ['lookup'], FAMILIES, 'tcp'),
    families: FAMILIES,
    run: proveRedirect,
  },
  ...(['tcp', 'udp'] as const).map((protocol) => ({
    id: `tproxy4.tproxy.dual.${protocol}`,
    title: 'TPROXY to a dual-stack listener',
    rows: rowIds('tproxy4', ['accept'], FAMILIES, protocol),
    families: FAMILIES,
    run: (stage: Stage) => proveTproxy(stage, protocol),
  })),
];

async function proveRedirect(stage: Stage): Promise<void> {
  const { proxy, servers } = await settle(stage, 'tcp', null);
  await stage.install(
    FAMILIES.map((family) => ({
      kind: 'redirect',
      hook: 'prerouting',
      protocol: 'tcp',
      destination: origin(family, 'tcp'),
      port: PROXY_PORT,
    })),
  );
  for (const server of servers) {
    const caller = call(stage, stage.lab.client, server.at, 'tcp');
    const arrived = reached(await arrival(stage, caller, [proxy, ...servers]), proxy);
    const local = endpoint(GATEWAY[server.at.family], PROXY_PORT);
    stage.expect('client as the proxy sees it', arrived.peer, caller.local);
    stage.expect('local address of the accepted socket', arrived.local, local);
    await answer(stage, arrived, caller);
    mustBeTranslated(stage, arrived, local, server.at);
  }
}

async function proveTproxy(stage: Stage, protocol: Protocol): Promise<void> {
  const { proxy, servers } = await settle(stage, protocol, { operation: 'accept', family: 6, protocol });
  await stage.install(FAMILIES.map((family) => tproxyRule(origin(family, protocol), protocol)));
  for (const server of servers) {
    const caller = call(stage, stage.lab.client, server.at, protocol);
    const arrived = reached(await arrival(stage, caller, [proxy, ...servers]), proxy);
    mustBeUnchanged(stage, arrived, caller);
    await answerTransparently(stage, arrived, caller);
    mustBeInferred(stage, arrived, server.at);
  }
}

async function settle(
  stage: Stage,
  protocol: Protocol,
  question: Question | null,
): Promise<{ proxy: Listener; servers: Listener[] }> {
  const servers = FAMILIES.map((family: Family) => originServer(stage, family, protocol));
  const proxy = stage.listen('proxy', stage.lab.gateway, endpoint('::', PROXY_PORT), protocol, question);
  for (const server of servers) await mustGoDirect(stage, stage.lab.client, proxy, server);
  return { proxy, servers };
}
