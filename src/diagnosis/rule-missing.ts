/** No rule takes the traffic, or none takes it to this listener. */

import { readRules } from '../host/rules.ts';
import type { Family } from '../verdict.ts';
import type { Check, Problem } from './finding.ts';
import { type Interception, interceptions, portsOf, takesPort } from './interceptions.ts';
import { elsewhere, listensIn } from './namespaces.ts';
import {
  bare,
  missingRoute,
  redirectRule,
  replaceRule,
  tproxyRule,
  usableMark,
  withService,
  withTarget,
} from './remedies.ts';
import { problem, type Situation } from './situation.ts';

/** Where it is not known what clients connect to, the remedy is written for the web. */
const HTTP = 80;

export const ruleMissing: Check<Situation> = {
  name: 'rule-missing',
  run(situation) {
    if (situation.readings.rules.unread.length > 0) return [];
    // Spoofing alone needs no rule that intercepts.
    if (situation.isSpoof) return [];
    const without = situation.families.filter((family) => situation.relevant(family).length === 0);
    const any = situation.families.flatMap((family) => [...situation.interceptions(family)]);
    if (without.length === situation.families.length) {
      return any.length === 0 ? [noRule(situation)] : [otherRule(situation, any)];
    }
    return without
      .filter((family) => situation.concerns(family))
      .map((family) => oneFamily(situation, family));
  },
};

function noRule(situation: Situation): Problem {
  const elsewhere = otherNamespace(situation);
  if (elsewhere !== null) return elsewhere;
  const asked = situation.port !== undefined || situation.service !== undefined;
  return problem('no-rule', asked ? 'error' : 'warning', null, {
    cause: `No rule of this namespace redirects ${situation.protocol.toUpperCase()} connections or hands them to a proxy: they go straight to their destination.`,
    remedy: addRule(situation, situation.families),
    evidence: situation.ruleSteps,
  });
}

/** Rules, but for another listener or for other ports. */
function otherRule(situation: Situation, others: readonly Interception[]): Problem {
  const { port, service } = situation;
  const wrongTarget = port !== undefined && !others.some((one) => one.port === port);
  const candidates = wrongTarget ? others : others.filter((one) => port === undefined || one.port === port);
  const words = [...new Set(candidates.map(({ rule }) => `“${bare(rule)}”`))].join(', ');
  if (wrongTarget) {
    const target = [...new Set(candidates.map((one) => one.port ?? 'a computed port'))].join(', ');
    const stray = replaceable(situation, candidates);
    return problem('rule-other-target', 'error', null, {
      cause: `No rule sends connections to port ${port}; those of this namespace send them to port ${target}: ${words}.`,
      remedy:
        stray === undefined
          ? addRule(situation, situation.families)
          : replaceRule(stray.rule, withTarget(stray.rule, port)),
      evidence: situation.ruleSteps,
    });
  }
  if (service === undefined || candidates.some(({ rule }) => takesPort(rule, service))) {
    return problem('rule-other-addresses', 'error', null, {
      cause: `No rule takes ${asked(situation)}: those of this namespace are for other addresses: ${words}.`,
      remedy: addRule(situation, situation.families, candidates[0], service ?? candidates[0]?.packet.dport),
      evidence: situation.ruleSteps,
    });
  }
  const [first] = candidates;
  const changed = first === undefined ? '' : withService(first.rule, service ?? HTTP);
  return problem('rule-other-port', 'error', null, {
    cause: `No rule takes connections to port ${service}: those of this namespace are for ${candidates
      .map(({ rule }) => `port ${portsOf(rule) ?? 'any'}`)
      .filter(unique)
      .join(', ')}: ${words}.`,
    remedy:
      first === undefined || changed === first.rule.text
        ? addRule(situation, situation.families)
        : replaceRule(first.rule, changed),
    evidence: situation.ruleSteps,
  });
}

/** A rule that may be given another target: it is for this very port, or for a listener that is not there. */
function replaceable(situation: Situation, others: readonly Interception[]): Interception | undefined {
  const { service } = situation;
  if (service !== undefined) return others.find(({ rule }) => portsOf(rule) === String(service));
  return others.find(({ port }) => port !== null && situation.listeners(port).length === 0);
}

function asked({ source, destination, service }: Situation): string {
  const from = source === undefined ? '' : ` from ${source}`;
  const to = destination?.address ?? (service === undefined ? '' : `port ${service}`);
  return `connections${from}${to === '' ? '' : ` to ${to}`}`;
}

function unique<T>(value: T, index: number, all: readonly T[]): boolean {
  return all.indexOf(value) === index;
}

/** The other family has a rule. */
function oneFamily(situation: Situation, family: Family): Problem {
  const other = family === 4 ? 6 : 4;
  const example = situation.relevant(other)[0];
  const service = example?.packet.dport ?? HTTP;
  return problem('rule-one-family', 'warning', family, {
    cause: `IPv${other} connections are intercepted, IPv${family} ones are not: no rule is for them.`,
    remedy: addRule(situation, [family], example, service),
    evidence: situation.ruleSteps,
  });
}

/** TPROXY for a listener that has the option, REDIRECT for one that has not. */
function addRule(
  situation: Situation,
  families: readonly Family[],
  example?: Interception,
  service = situation.service ?? HTTP,
): string {
  const transparent = situation.transparentListeners();
  const port = situation.port ?? example?.port ?? transparent[0]?.local.port ?? 8080;
  const wanted = { families, protocol: situation.protocol, service, port };
  const isTransparent =
    example === undefined
      ? transparent.some(({ local }) => local.port === port)
      : example.action.kind === 'tproxy';
  const note =
    situation.service === undefined && example === undefined
      ? `   # ${service}: the port that clients connect to`
      : '';
  if (!isTransparent) return `${redirectRule(wanted)}${note}`;
  const [first = 4] = families;
  const mark = usableMark(situation.routing(first));
  const routes = families.flatMap((family) => missingRoute(family, mark, situation.routing(family)));
  return `${[tproxyRule(wanted, mark), ...routes].join(' && ')}${note}`;
}

/** A rule in a container's or router's namespace redirects into that namespace only. */
function otherNamespace(situation: Situation): Problem | null {
  const { port } = situation;
  if (port === undefined || situation.listeners(port).length === 0) return null;
  return elsewhere((namespace) => {
    const rules = readRules(situation.native, namespace.fd);
    const found = situation.families
      .flatMap((family) => interceptions(rules, { family, protocol: situation.protocol }))
      .find((one) => one.port === port);
    // A rule with a listener of its own beside it has nothing to do with ours.
    if (found === undefined || listensIn(situation, namespace, port)) return null;
    return problem('rule-other-namespace', 'error', null, {
      cause: `The rule “${bare(found.rule)}” is in namespace ${namespace.name}: it redirects to port ${port} there, and the listener is in this one.`,
      remedy: addRule(
        situation,
        situation.families,
        undefined,
        situation.service ?? found.packet.dport ?? HTTP,
      ),
      evidence: [...situation.ruleSteps, ...rules.steps],
    });
  });
}
