/** The request never left this host: a rule of its own, or a next hop that does not answer. */

import { isDenied, said } from '../conclusion.ts';
import { readRules } from '../host/rules.ts';
import { readWith } from '../host/run.ts';
import type { Step } from '../verdict.ts';
import { type Explained, explained, type Facts, within } from './facts.ts';
import { type Passage, passHook } from './firewall.ts';
import { destinationNat } from './nat.ts';
import { wayBack } from './route-back.ts';

export function concludeNotSent(facts: Facts): Explained {
  const evidence: Step[] = [];
  const look = () =>
    droppedOnTheWayOut(facts, evidence) ?? redirected(facts, evidence) ?? silentNextHop(facts, evidence);
  const found = within(facts, look);
  const refused = evidence.find(isDenied);
  return (
    found ??
    explained(
      'not-sent',
      'not-sent',
      `The request from ${facts.flow.local.address} was not seen leaving this host on any interface: a rule of its output drops ` +
        `it or sends it elsewhere${refused === undefined ? '' : `; which one is not known, for ${said(refused)}`}.`,
      'nft list ruleset; iptables-save   # let it out in the output hook',
      evidence,
    )
  );
}

function droppedOnTheWayOut({ native, flow }: Facts, evidence: Step[]): Explained | null {
  const rules = readRules(native, null);
  evidence.push(...rules.steps);
  const passage: Passage = {
    from: flow.local,
    to: flow.peer,
    protocol: flow.protocol,
    mark: 0,
    state: 'new',
  };
  for (const hook of ['output', 'postrouting']) {
    const { drop } = passHook(rules, hook, passage);
    if (drop === null) continue;
    const cause = `The request never left this host: ${drop.cause}.`;
    return explained('not-sent', 'firewall', cause, drop.remedy, evidence);
  }
  return null;
}

function redirected(facts: Facts, evidence: Step[]): Explained | null {
  const rule = destinationNat(facts, evidence);
  if (rule === null) return null;
  const cause = `The request never left this host: ${rule.cause} sends it to somewhere else.`;
  return explained('not-sent', 'redirected', cause, rule.remedy, evidence);
}

function silentNextHop({ native, flow }: Facts, evidence: Step[]): Explained | null {
  const { family, address } = flow.peer;
  const way = wayBack(native, flow.peer, null);
  const hop = way.router ?? address;
  const { text, step } = readWith('ip', `-${family}`, 'neigh', 'show', 'to', hop);
  evidence.push(...way.steps, { ...step, detail: text?.trim() ?? step.detail });
  if (!/\b(FAILED|INCOMPLETE)\b/.test(text ?? '')) return null;
  return explained(
    'unreachable',
    'next-hop-silent',
    `The request never left this host: the next hop ${hop} does not answer ${family === 4 ? 'ARP' : 'neighbour discovery'}.`,
    `ip -${family} neigh show to ${hop}; ip -${family} route get ${address}`,
    evidence,
  );
}
