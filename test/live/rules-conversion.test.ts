/**
 * Random translation files, converted and loaded, and connections pushed through: what arrives is what
 * `explain` predicted. ORIGDST_SEED repeats a run.
 */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { endpoint, formatEndpoint } from '../../src/endpoint.ts';
import type { LabHost } from '../../src/lab/host.ts';
import { CLIENT, GATEWAY, Lab, SERVER, UPLINK } from '../../src/lab/lab.ts';
import { requireNative } from '../../src/native.ts';
import { explain, type Places } from '../../src/translation/explain.ts';
import type { Flow } from '../../src/translation/flow.ts';
import { load } from '../../src/translation/loader.ts';
import { readAddress } from '../../src/translation/numbers.ts';
import { asRule, TCP, UDP } from '../../src/translation/rule.ts';
import type { Endpoint, Protocol } from '../../src/verdict.ts';
import { assertUndone, convertFor, loadInto, TOOLS, undo } from '../support/rules-converted.ts';
import { Random, randomFile, seed, type World } from '../support/rules-random.ts';

const FILES = 20;
const FLOWS = 12;
const LIMIT_MS = 5000;
const SOL_IP = 0;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const IP_RECVORIGDSTADDR = 20;

const native = requireNative();
const lab = new Lab(native, [4]);
after(() => lab.close());

const CLIENTS = [CLIENT[4], '192.0.2.10', '192.0.2.11'];
const SERVERS = [SERVER[4], '198.51.100.10', '198.51.100.11'];
const OWN = [GATEWAY[4], UPLINK[4], '198.51.100.20'];
const PORTS = [7, 79, 80, 81, 110, 8110];
const WORLD: World = {
  clients: CLIENTS,
  targets: [...SERVERS, ...OWN],
  newAddresses: [...SERVERS, ...OWN],
  sourceAddresses: [UPLINK[4], '198.51.100.20'],
  ports: PORTS,
  devices: ['inside', 'outside'],
};

for (const address of CLIENTS.slice(1)) lab.client.ip(`address add ${address}/24 dev eth0`);
for (const address of SERVERS.slice(1)) lab.server.ip(`address add ${address}/24 dev eth0`);
lab.gateway.ip('address add 198.51.100.20/24 dev outside');

interface Listener {
  fd: number;
  host: LabHost;
  protocol: Protocol;
}

/** On every port of the gateway and of the server: a packet that goes astray is seen where it arrives. */
const listeners = [lab.gateway, lab.server].flatMap((host) =>
  (['tcp', 'udp'] as const).flatMap((protocol) => PORTS.map((port) => listen(host, protocol, port))),
);

function listen(host: LabHost, protocol: Protocol, port: number): Listener {
  const { fd } = native.openSocket(4, protocol, host.netns);
  assert(fd !== null);
  native.setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  // What arrives after all translations: linux/ip.h.
  if (protocol === 'udp') native.setOption(fd, SOL_IP, IP_RECVORIGDSTADDR, 1);
  assert.equal(native.bind(fd, { address: '0.0.0.0', port }).errorName, null);
  if (protocol === 'tcp') native.listen(fd, 64);
  after(() => void native.close(fd));
  return { fd, host, protocol };
}

interface Arrived {
  host: string;
  source: string;
  destination: string;
}

/** Source ports are used once: a finished connection stays tracked for a while. */
let nextPort = 41_000;

function randomFlow(random: Random, local: boolean): Flow {
  const source = readAddress(local ? random.of(WORLD.sourceAddresses) : random.of(CLIENTS));
  const destination = readAddress(random.of(local ? SERVERS : WORLD.targets));
  assert(source !== null && destination !== null);
  return {
    protocol: random.of([TCP, UDP]),
    source,
    sourcePort: nextPort++,
    destination,
    destinationPort: random.of(PORTS),
    inDevice: local ? null : 'inside',
    outDevice: 'outside',
    ownAddress: null,
  };
}

/** The way of the packet, as `explain` has it: POST rules see only what leaves, and what this host sends. */
function predict(file: string, flow: Flow, local: boolean): { arrived: Arrived; before: Places } | null {
  const loaded = load(file);
  const explanation = explain(loaded, loaded.rules.map(asRule), flow, local);
  const { before, after } = explanation;
  const here = OWN.includes(after.destination.address);
  const masqueraded = explanation.source?.list === 'masquerade';
  // Which address the loopback interface masquerades with is for its routing table to say.
  if (masqueraded && local && here) return null;
  const host = here ? lab.gateway.name : lab.server.name;
  const { source } = local || !here ? after : before;
  const address = masqueraded && !here ? UPLINK[4] : source.address;
  return {
    arrived: {
      host,
      source: `${address}:${source.port}`,
      destination: `${after.destination.address}:${after.destination.port}`,
    },
    before,
  };
}

function push(flow: Flow, before: Places, local: boolean): Arrived | string {
  const protocol: Protocol = flow.protocol === TCP ? 'tcp' : 'udp';
  const { fd } = native.openSocket(4, protocol, (local ? lab.gateway : lab.client).netns);
  assert(fd !== null);
  try {
    native.setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    const from = endpoint(before.source.address, before.source.port);
    const bound = native.bind(fd, from);
    assert.equal(bound.errorName, null, `bind ${formatEndpoint(from)}`);
    native.connect(fd, endpoint(before.destination.address, before.destination.port));
    if (protocol === 'udp') native.send(fd, Buffer.from('x'));
    const candidates = listeners.filter((listener) => listener.protocol === protocol);
    const [ready] = native.poll(
      candidates.map((one) => one.fd),
      'read',
      LIMIT_MS,
    );
    const listener = candidates.find((one) => one.fd === ready);
    return listener === undefined ? 'nothing arrived' : receive(listener);
  } finally {
    native.close(fd);
  }
}

function receive({ fd, host, protocol }: Listener): Arrived | string {
  if (protocol === 'udp') {
    const { from, original } = native.receive(fd, 16);
    return arrival(host, from, original);
  }
  const accepted = native.accept(fd).result;
  const { local, peer } = native.describe(accepted);
  native.close(accepted);
  return arrival(host, peer, local);
}

function arrival(host: LabHost, from: Endpoint | null, to: Endpoint | null): Arrived | string {
  if (from === null || to === null) return 'the addresses could not be read';
  return { host: host.name, source: formatEndpoint(from), destination: formatEndpoint(to) };
}

/** Two connections cannot look alike: the second would get another source port, or none. */
const taken = new Set<string>();

for (const [index, tool] of TOOLS.entries()) {
  test(`what arrives is what was predicted, by ${tool}`, () => {
    const from = seed();
    const random = new Random(from + index);
    let redirected = 0;
    for (let round = 0; round < FILES; round++) {
      const file = randomFile(random, WORLD);
      const conversion = convertFor(tool, file);
      assert.deepEqual(conversion.problems, [], file);
      loadInto(lab.gateway, tool, conversion);
      try {
        for (let number = 0; number < FLOWS; number++) {
          const local = random.chance(25);
          const flow = randomFlow(random, local);
          const predicted = predict(file, flow, local);
          if (predicted === null) continue;
          const { arrived, before } = predicted;
          const tuple = JSON.stringify([flow.protocol, arrived]);
          if (taken.has(tuple)) continue;
          taken.add(tuple);
          const words = `ORIGDST_SEED=${from} ${tool}, round ${round}, ${JSON.stringify({ flow, before, local })}\n${file}\n${conversion.lines.join('\n')}`;
          assert.deepEqual(push(flow, before, local), arrived, words);
          if (arrived.destination !== `${before.destination.address}:${before.destination.port}`)
            redirected++;
        }
      } finally {
        undo(lab.gateway, tool, conversion);
      }
      assertUndone(lab.gateway, tool);
    }
    assert(redirected > 0, `ORIGDST_SEED=${from}: nothing was redirected at all`);
  });
}
