/** Lookup through REDIRECT, through DNAT to another address, and on the output hook. */

import { netfilter } from '../../../platforms/linux/netfilter/mechanism.ts';
import { endpoint } from '../../endpoint.ts';
import type { Endpoint, Family, Protocol } from '../../verdict.ts';
import { type Arrival, answer, arrival, call, reached } from '../conversation.ts';
import type { LabHost } from '../host.ts';
import { GATEWAY, type Lab, UPLINK } from '../lab.ts';
import { mustGoDirect, origin, originServer, PROXY_PORT, type Proof, proofId, rowIds } from '../proof.ts';
import type { Rule } from '../rules.ts';
import { ProofFailed, type Stage } from '../stage.ts';

interface Variant {
  name: string;
  title: string;
  /** Where the proxy is found by the rewritten packet. */
  proxy(family: Family): Endpoint;
  from(lab: Lab): LabHost;
  rule(destination: Endpoint, protocol: Protocol, proxy: Endpoint): Rule;
}

const LOOPBACK = { 4: '127.0.0.1', 6: '::1' };

const VARIANTS: readonly Variant[] = [
  {
    name: 'redirect',
    title: 'REDIRECT of a client’s packets to a port of the gateway',
    proxy: (family) => endpoint(GATEWAY[family], PROXY_PORT),
    from: (lab) => lab.client,
    rule: (destination, protocol) => ({
      kind: 'redirect',
      hook: 'prerouting',
      protocol,
      destination,
      port: PROXY_PORT,
    }),
  },
  {
    name: 'dnat',
    title: 'DNAT of a client’s packets to another address',
    proxy: (family) => endpoint(UPLINK[family], PROXY_PORT),
    from: (lab) => lab.client,
    rule: (destination, protocol, to) => ({ kind: 'dnat', protocol, destination, to }),
  },
  {
    // nf_nat_redirect.c: on the output hook the new destination is the loopback address.
    name: 'output',
    title: 'REDIRECT of the gateway’s own packets, on the output hook',
    proxy: (family) => endpoint(LOOPBACK[family], PROXY_PORT),
    from: (lab) => lab.gateway,
    rule: (destination, protocol) => ({
      kind: 'redirect',
      hook: 'output',
      protocol,
      destination,
      port: PROXY_PORT,
    }),
  },
];

export const netfilterProofs: readonly Proof[] = VARIANTS.flatMap((variant) =>
  ([4, 6] as const).flatMap((family) =>
    (['tcp', 'udp'] as const).map((protocol) => ({
      id: proofId('netfilter', variant.name, family, protocol),
      title: variant.title,
      rows: rowIds('netfilter', ['lookup'], [family], protocol),
      families: [family],
      run: (stage: Stage) => prove(stage, variant, family, protocol),
    })),
  ),
);

async function prove(stage: Stage, variant: Variant, family: Family, protocol: Protocol): Promise<void> {
  const { lab } = stage;
  const destination = origin(family, protocol);
  const server = originServer(stage, family, protocol);
  // UDP is answered from where it arrived: a wildcard socket would choose its source by the route.
  const proxy = stage.listen('proxy', lab.gateway, variant.proxy(family), protocol);
  if (protocol === 'udp') askForControlMessage(stage, proxy.fd, family);
  await mustGoDirect(stage, variant.from(lab), proxy, server);
  await stage.install([variant.rule(destination, protocol, proxy.at)]);

  const caller = call(stage, variant.from(lab), destination, protocol);
  const arrived = reached(await arrival(stage, caller, [proxy, server]), proxy);
  stage.expect('client as the proxy sees it', arrived.peer, caller.local);
  // For UDP this is the control message: it tells the address after NAT, not the original one.
  stage.expect(
    protocol === 'tcp' ? 'local address of the accepted socket' : 'address after NAT',
    arrived.local,
    proxy.at,
  );
  await answer(stage, arrived, caller);
  mustBeTranslated(stage, arrived, proxy.at, destination);
}

/** IP_RECVORIGDSTADDR and IPV6_RECVORIGDSTADDR: linux/in.h, linux/in6.h. */
function askForControlMessage(stage: Stage, fd: number, family: Family): void {
  const [level, option] = family === 4 ? ([0, 20] as const) : ([41, 74] as const);
  stage.must(stage.native.setOption(fd, level, option, 1), 'proxy: RECVORIGDSTADDR');
}

/** The lookup itself, as `origdst lookup` makes it: the option for TCP, ctnetlink for UDP. */
export function mustBeTranslated(stage: Stage, arrived: Arrival, local: Endpoint, expected: Endpoint): void {
  const { protocol, host } = arrived.listener;
  const flow = { protocol, peer: arrived.peer, local, netns: host.netns };
  const found = stage.native.lookup('netfilter', protocol === 'tcp' ? { ...flow, fd: arrived.fd } : flow);
  for (const step of found.steps) stage.note(step, `proxy: ${step.target}`);
  stage.expect('original destination', found.original, expected);
  const verdict = netfilter.concludeLookup?.({ ...found, protocol, peer: arrived.peer, local }).verdict;
  if (verdict !== 'translated')
    throw new ProofFailed('wrong-verdict', `the lookup concludes ${verdict}, not translated`);
}
