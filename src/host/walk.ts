/**
 * A packet's way through the chains of a hook, on paper: which rules it meets, the mark that it ends
 * with, and whether it is accepted. Three answers everywhere: a condition that cannot be decided
 * leaves open whether what follows is reached.
 */

import { type Answer, every, matches, type Packet } from './packet.ts';
import { type Action, type BaseChain, familiesOf, type Rule, type Ruleset } from './rule.ts';

/** A rule that the packet may meet. `action`s are its own; `match` includes the way there. */
export interface Visit {
  rule: Rule;
  base: BaseChain;
  match: Answer;
}

export interface Walk {
  visits: Visit[];
  /** The mark when the hook is left. */
  mark: number;
  /** false: a rule that may match sets another one, or one that is not known. */
  markKnown: boolean;
  /** The rule or policy that drops it, with certainty; null when it gets through, or may. */
  dropped: { rule: Rule | null; base: BaseChain } | null;
}

const DEPTH = 16;

/** @param assumed a rule taken to match where that cannot be told: what happens to a packet that it does match? */
export function walk(ruleset: Ruleset, hook: string, packet: Packet, assumed?: Rule): Walk {
  const state: State = {
    ruleset,
    assumed,
    packet: { ...packet },
    result: { visits: [], mark: packet.mark, markKnown: true, dropped: null },
  };
  for (const base of chainsOf(ruleset, hook, packet)) {
    // A NAT hook sees the first packet of a connection only: net/netfilter/nf_nat_core.c.
    if (base.type === 'nat' && packet.state !== 'new') continue;
    const end = enter(state, base, base.chain, 'yes', 0);
    const open = end === 'continue' || end === 'return';
    if (end === 'drop' || (open && base.policy === 'drop')) {
      state.result.dropped ??= { rule: end === 'drop' ? (state.lastRule ?? null) : null, base };
      break;
    }
  }
  state.result.mark = state.packet.mark;
  return state.result;
}

/** Base chains of a hook that see packets of this family, in the order of their priorities. */
export function chainsOf(ruleset: Ruleset, hook: string, { family }: Pick<Packet, 'family'>): BaseChain[] {
  return ruleset.chains
    .filter((chain) => chain.hook === hook && familiesOf(chain.family).includes(family))
    .toSorted((a, b) => a.priority - b.priority);
}

interface State {
  ruleset: Ruleset;
  assumed: Rule | undefined;
  packet: Packet;
  result: Walk;
  lastRule?: Rule;
}

/** How a chain was left. `maybe`: some rule may have ended it, so that the policy is not certain either. */
type End = 'continue' | 'return' | 'accept' | 'drop' | 'maybe';

function enter(state: State, base: BaseChain, chain: string, reached: Answer, depth: number): End {
  if (depth > DEPTH) return 'maybe';
  let certain = reached;
  for (const rule of state.ruleset.rules) {
    if (rule.tool !== base.tool || rule.family !== base.family) continue;
    if (rule.table !== base.table || rule.chain !== chain) continue;
    const answer = matches(rule, state.packet);
    if (answer === 'no') continue;
    const match = rule === state.assumed ? 'yes' : every([certain, answer]);
    state.result.visits.push({ rule, base, match });
    const end = act(state, base, rule, match, depth);
    if (end === 'continue') continue;
    if (end === 'maybe') certain = 'maybe';
    else return end;
  }
  return certain === reached ? 'continue' : 'maybe';
}

/** What a rule does to the packet; a rule that only may match never decides. */
function act(state: State, base: BaseChain, rule: Rule, match: Answer, depth: number): End {
  let end: End = 'continue';
  for (const action of rule.actions) {
    if (action.kind === 'mark') setMark(state, action, match);
    else if (action.kind === 'jump' || action.kind === 'goto') {
      const inner = enter(state, base, action.chain, match, depth + 1);
      end =
        inner === 'return' || inner === 'continue' ? (action.kind === 'goto' ? 'return' : 'continue') : inner;
    } else if (action.kind === 'accept' || action.kind === 'drop' || action.kind === 'return') {
      end = action.kind;
      state.lastRule = rule;
    } else if (isFinal(action)) {
      end = 'accept';
    }
    if (end !== 'continue') break;
  }
  return match === 'maybe' && end !== 'continue' ? 'maybe' : end;
}

/** NAT statements end the chain; xt_TPROXY does, nft_tproxy does not. */
function isFinal(action: Action): boolean {
  return (
    action.kind === 'redirect' || action.kind === 'dnat' || (action.kind === 'tproxy' && action.terminal)
  );
}

function setMark(state: State, { value, clear }: Action & { kind: 'mark' }, match: Answer): void {
  if (match === 'maybe' || value === null) {
    const same = value !== null && ((state.packet.mark & ~clear) ^ value) >>> 0 === state.packet.mark;
    if (!same) state.result.markKnown = false;
    if (value === null) return;
  }
  state.packet.mark = ((state.packet.mark & ~clear) ^ (value ?? 0)) >>> 0;
}
