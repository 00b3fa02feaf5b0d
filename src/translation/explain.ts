/** Which rules of a file take a connection, and what it becomes: the module's way of a packet, replayed. */

import type { Flow } from './flow.ts';
import type { LoadedFile } from './loaded.ts';
import { formatAddress } from './numbers.ts';
import { contains } from './ranges.ts';
import { hasPorts, type List, neverMatches, type Rule, type Selector, target } from './rule.ts';
import { ruleName } from './shadow.ts';

export interface Match {
  list: List;
  rule: Rule;
}

export interface Explanation {
  /** The file's rules would be loaded by the original loader. */
  loads: boolean;
  /** The rule that takes the connection as it comes in (PRE), or as this host begins it (OUTPUT). */
  match: Match | null;
  /** The rule that changes its source, should it leave this host. */
  source: Match | null;
  /** Rules in a drop list that match it too. */
  drops: Match[];
  verdict: 'redirected' | 'unchanged' | 'not-matched';
  before: Places;
  after: Places;
  /** What else there is to know, as sentences. */
  notes: string[];
}

export interface Places {
  source: { address: string; port: number };
  destination: { address: string; port: number };
}

/** Something about the connection must be said before it can be decided which rule takes it. */
export class Undecided extends Error {
  readonly option: '--in' | '--out' | '--own-address';
  constructor(option: Undecided['option'], message: string) {
    super(message);
    this.option = option;
  }
}

/**
 * @param local the connection is begun by this host: OUTPUT rules, not PRE rules, see it
 * @throws {Undecided}
 */
export function explain(loaded: LoadedFile, rules: readonly Rule[], flow: Flow, local: boolean): Explanation {
  const list = local ? 'output' : 'pre';
  const entry = { ...flow, ...(local ? { inDevice: NONE } : { outDevice: NONE }) };
  const match = firstMatch(rules, list, entry);
  const after = match === null ? flow : redirected(flow, match.rule);
  const leaving = { ...after, inDevice: NONE };
  // ipfi_post_process asks the masquerade list first.
  const source = firstMatch(rules, 'masquerade', leaving) ?? firstMatch(rules, 'snat', leaving);
  const drops = rules
    .filter(({ list: its }) => its === 'input-drop' || its === 'forward-drop')
    .filter((rule) => maybe(rule, { ...after, inDevice: flow.inDevice ?? NONE }))
    .map((rule): Match => ({ list: rule.list as List, rule }));
  const before = places(flow);
  const same = after.destination === flow.destination && after.destinationPort === flow.destinationPort;
  const finished = { match, source, drops, before, after: sourced(after, source) };
  return {
    ...finished,
    loads: loaded.refusals.length === 0,
    verdict: match === null ? 'not-matched' : same ? 'unchanged' : 'redirected',
    notes: [...notes(loaded, finished, local)],
  };
}

/** A device that is not there: no interface is called like that. */
const NONE = '';

function firstMatch(rules: readonly Rule[], list: List, flow: Flow): Match | null {
  const rule = rules.find((one) => one.list === list && matches(one, flow));
  return rule === undefined ? null : { list, rule };
}

function maybe(rule: Rule, flow: Flow): boolean {
  try {
    return matches(rule, flow);
  } catch (error) {
    if (error instanceof Undecided) return true;
    throw error;
  }
}

/** translation_rule_match in kernel/ipfi_translation.c. @throws {Undecided} */
export function matches(rule: Rule, flow: Flow): boolean {
  if (rule.protocol !== flow.protocol || neverMatches(rule) !== null) return false;
  const { direction } = rule.loaded;
  if (hasPorts(rule.protocol)) {
    if (!takes(rule.sourcePort, flow.sourcePort) || !takes(rule.destinationPort, flow.destinationPort))
      return false;
  }
  for (const [selector, address] of [
    [rule.source, flow.source],
    [rule.destination, flow.destination],
  ] as const) {
    if (selector.kind !== 'mine' && !takes(selector, address)) return false;
  }
  for (const [device, given, option] of [
    [rule.inDevice, flow.inDevice, '--in'],
    [rule.outDevice, flow.outDevice, '--out'],
  ] as const) {
    if (device === null) continue;
    if (given === null) throw new Undecided(option, `${ruleName(rule)} asks for the interface ${device}`);
    if (device !== given) return false;
  }
  for (const [selector, address] of [
    [rule.source, flow.source],
    [rule.destination, flow.destination],
  ] as const) {
    if (selector.kind !== 'mine') continue;
    if (flow.ownAddress === null) {
      throw new Undecided(
        '--own-address',
        `${ruleName(rule)} asks for this host’s own address at ${direction}`,
      );
    }
    if (flow.ownAddress !== address) return false;
  }
  return true;
}

function takes(selector: Selector, value: number): boolean {
  return selector.kind !== 'values' || contains(selector.ranges, value) !== selector.negated;
}

/** dest_translate; manip_skb changes the ports of TCP and UDP alone, and nothing at all when it cannot. */
function redirected(flow: Flow, { newAddress, newPort }: Rule): Flow {
  if (newPort !== null && !hasPorts(flow.protocol)) return flow;
  return {
    ...flow,
    destination: newAddress ?? flow.destination,
    destinationPort: newPort ?? flow.destinationPort,
  };
}

function places(flow: Flow): Places {
  return {
    source: { address: formatAddress(flow.source), port: flow.sourcePort },
    destination: { address: formatAddress(flow.destination), port: flow.destinationPort },
  };
}

function sourced(flow: Flow, source: Match | null): Places {
  if (source === null || source.list === 'masquerade') return places(flow);
  const { newAddress, newPort } = source.rule;
  return places({ ...flow, source: newAddress ?? flow.source, sourcePort: newPort ?? flow.sourcePort });
}

function* notes(
  loaded: LoadedFile,
  { match, source, drops, after }: Pick<Explanation, 'match' | 'source' | 'drops' | 'after'>,
  local: boolean,
): Generator<string> {
  const [refusal] = loaded.refusals;
  if (refusal !== undefined) {
    yield `The original loader refuses this file (line ${refusal.line}) and loads none of its rules, so that the connection would not be touched. What follows holds once that is mended. ${refusal.cause}`;
  }
  if (match === null && !local) {
    yield 'PRE rules do not see what this host sends itself: for such a connection ask with --local.';
  }
  if (match?.list === 'output') {
    yield 'An OUTPUT rule works only where a rule of the permission file lets the packet out, and the packet is not routed again.';
  }
  if (match !== null && match.rule.newAddress === null && match.rule.newPort !== null) {
    yield `The destination address stays: this is port ${match.rule.newPort} of the machine that the client wanted, not of this host.`;
  }
  if (source !== null) {
    const becomes =
      source.list === 'masquerade'
        ? 'the address of the interface that it leaves by'
        : `${after.source.address}:${after.source.port}`;
    yield `Should the connection leave this host, ${ruleName(source.rule)} makes its source ${becomes}.`;
  }
  for (const { list, rule } of drops) {
    const when = list === 'input-drop' ? 'it is for this host' : 'it is to be forwarded';
    yield `${ruleName(rule)} is in a drop list: where ${when}, it is dropped.`;
  }
}

/** What a rule does with what it takes, in a few words. */
export function deed(rule: Rule): string {
  if (rule.newAddress === null && rule.newPort === null) return 'leaves it as it is';
  return `makes it ${target(rule)}`;
}
