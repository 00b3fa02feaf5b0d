/** What a proof is, and what came of it. */

import { endpoint } from '../endpoint.ts';
import { rowId } from '../mechanism.ts';
import type { Endpoint, Family, MechanismName, Operation, Protocol, Step } from '../verdict.ts';
import { answer, arrival, call, reached } from './conversation.ts';
import type { LabHost } from './host.ts';
import { CLIENT, SERVER } from './lab.ts';
import type { RuleToolName } from './rule-tool.ts';
import { type Listener, ProofFailed, type Stage } from './stage.ts';

export interface Proof {
  /** `netfilter.redirect.ipv4.tcp` */
  id: string;
  /** A few words for a person. */
  title: string;
  /** Rows of the capability matrix that it bears on. */
  rows: readonly string[];
  families: readonly Family[];
  /** @throws {ProofFailed} or LabError */
  run(stage: Stage): Promise<void>;
}

export interface ProofResult {
  id: string;
  title: string;
  rows: readonly string[];
  verdict: 'proven' | 'broken';
  reason: string;
  cause: string | null;
  remedy: string | null;
  /** The tool that brought the rules in. */
  tool: RuleToolName | null;
  evidence: Step[];
  /** As text, to learn from. */
  topology: string[];
  rules: string[];
  /** What passed the gateway's interfaces; empty unless it was asked for. */
  packets: string[];
  /** Commands that enter the machines of a lab that was kept. */
  enter: string[];
}

export function proofId(mechanism: MechanismName, name: string, family: Family, protocol: Protocol): string {
  return `${mechanism}.${name}.ipv${family}.${protocol}`;
}

export function rowIds(
  mechanism: MechanismName,
  operations: readonly Operation[],
  families: readonly Family[],
  protocol: Protocol,
): string[] {
  return operations.flatMap((operation) =>
    families.map((family) => rowId(mechanism, { operation, family, protocol })),
  );
}

/** The port of the origin server, and those of the proxies: as in every tutorial. */
const ORIGIN_PORT: Record<Protocol, number> = { tcp: 80, udp: 53 };
export const PROXY_PORT = 3128;

export function origin(family: Family, protocol: Protocol): Endpoint {
  return endpoint(SERVER[family], ORIGIN_PORT[protocol]);
}

export function originServer(stage: Stage, family: Family, protocol: Protocol): Listener {
  return stage.listen('origin server', stage.lab.server, origin(family, protocol), protocol);
}

/** The address of the client that a proxy borrows. */
export function borrowed(family: Family): Endpoint {
  return endpoint(CLIENT[family], 40_404);
}

/**
 * The control of an interception: without the rules the same traffic must reach the origin server itself.
 * It ends positively; no time-out is waited for.
 */
export async function mustGoDirect(
  stage: Stage,
  from: LabHost,
  proxy: Listener,
  server: Listener,
): Promise<void> {
  await stage.control('without the rules', async () => {
    const caller = call(stage, from, server.at, server.protocol);
    const arrived = await arrival(stage, caller, [proxy, server]);
    if (arrived !== null && arrived.listener !== server) {
      throw new ProofFailed(
        'control-succeeded',
        `without the rules the packets reached the ${arrived.listener.name} too`,
      );
    }
    const direct = reached(arrived, server);
    stage.expect('client as the server sees it', direct.peer, caller.local);
    await answer(stage, direct, caller);
  });
}
