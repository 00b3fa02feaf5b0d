/** Why a proof failed: reads the state of its lab, from what decides first to what decides last. */

import { readFileSync } from 'node:fs';
import type { Finding } from '../diagnosis/finding.ts';
import type { Family, Step } from '../verdict.ts';
import { LabError } from './host.ts';
import { countedPackets, list } from './rule-tool.ts';
import { asIptables, familyOf, MARK, needsPolicyRoute, POLICY_ROUTE, type Rule, TABLE } from './rules.ts';
import type { Stage } from './stage.ts';

/** null when all that can be read is as it should be. */
export async function diagnose(stage: Stage): Promise<Finding | null> {
  if (stage.tool === null) return null;
  const families = [...new Set(stage.rules.map(familyOf))];
  return (
    checkOption(stage) ??
    (await checkRules(stage, families)) ??
    (needsPolicyRoute(stage.rules) ? checkPolicyRoute(stage, families) : null)
  );
}

/** SOL_IP IP_TRANSPARENT, SOL_IPV6 IPV6_TRANSPARENT: linux/in.h, linux/in6.h. */
const TRANSPARENT = { 4: [0, 19], 6: [41, 75] } as const;

function checkOption(stage: Stage): Finding | null {
  for (const listener of stage.listeners.filter(({ prepared }) => prepared)) {
    const [level, option] = TRANSPARENT[listener.at.family];
    const step = stage.native.getOption(listener.fd, level, option);
    if (step.result === 1) continue;
    return {
      reason: 'listener-not-transparent',
      cause: 'The listener has no IP_TRANSPARENT: the kernel assigns no packet for a foreign address to it.',
      remedy: 'let the listener set IP_TRANSPARENT (IPV6_TRANSPARENT) before bind',
      steps: [{ ...step, target: `${listener.name} IP_TRANSPARENT`, detail: `value ${step.result}` }],
    };
  }
  return null;
}

/** The words by which a rule is known in any tool's listing. */
function words(rule: Rule): RegExp {
  if (rule.kind === 'divert') return /socket transparent|--transparent/;
  const verb = { redirect: /redirect/i, dnat: /dnat/i, tproxy: /tproxy/i }[rule.kind];
  return new RegExp(verb.source, 'i');
}

async function checkRules(stage: Stage, families: readonly Family[]): Promise<Finding | null> {
  const { tool, lab, rules } = stage;
  if (tool === null) return null;
  const lines = await list(tool, lab.gateway, families);
  for (const rule of rules) {
    const shown = lines.filter((line) => words(rule).test(line));
    if (shown.length === 0) {
      return {
        reason: 'rule-missing',
        cause: `The ${rule.kind} rule is not in the gateway’s ruleset (any more): something removed it.`,
        remedy: tool.name === 'nft' ? 'nft list ruleset' : `${tool.name} ${asIptables(rule).join(' ')}`,
        steps: [
          read(`${tool.name} rules`, `${lines.filter((line) => line !== '').length} lines, no ${rule.kind}`),
        ],
      };
    }
    if (shown.every((line) => countedPackets(line) === 0) && rule.kind !== 'divert') {
      return {
        reason: 'rule-not-hit',
        cause: `The ${rule.kind} rule is there, and no packet came to it: another rule or hook takes them first.`,
        remedy: 'nft list ruleset   # look for a chain of the same hook with a lower priority',
        steps: shown.map((line) => read(`${tool.name} rules`, line)),
      };
    }
  }
  return null;
}

function checkPolicyRoute(stage: Stage, families: readonly Family[]): Finding | null {
  for (const family of families) {
    const finding = checkRule(stage, family) ?? checkRoute(stage, family);
    if (finding !== null) return finding;
  }
  // IPv6 has neither setting: net/ipv4/fib_frontend.c, fib_validate_source.
  return families.includes(4) ? checkSourceValidation(stage) : null;
}

function checkRule(stage: Stage, family: Family): Finding | null {
  const rules = ip(stage, family, 'rule', 'show');
  if (new RegExp(`fwmark 0x${MARK}\\b.*lookup ${TABLE}\\b`).test(rules)) return null;
  return {
    reason: 'no-policy-rule',
    cause: `No policy rule sends packets with mark ${MARK} to table ${TABLE}: they were marked, and routed on as before.`,
    remedy: `ip -${family} ${POLICY_ROUTE[0]}`,
    steps: [read(`ip -${family} rule show`, rules.replaceAll('\n', '; '))],
  };
}

function checkRoute(stage: Stage, family: Family): Finding | null {
  const routes = ip(stage, family, 'route', 'show', 'table', String(TABLE));
  if (/^local (default|0\.0\.0\.0\/0|::\/0) dev lo\b/m.test(routes)) return null;
  return {
    reason: 'no-local-route',
    cause: `Table ${TABLE} has no local route for everything: marked packets for a foreign address are not this host’s.`,
    remedy: `ip -${family} ${POLICY_ROUTE[1]}`,
    steps: [
      read(
        `ip -${family} route show table ${TABLE}`,
        routes === '' ? 'no routes' : routes.replaceAll('\n', '; '),
      ),
    ],
  };
}

/** `ip` says ENOENT for a table that never had a route. */
function ip(stage: Stage, family: Family, ...args: string[]): string {
  try {
    return stage.lab.gateway.run('ip', [`-${family}`, ...args]).trim();
  } catch (error) {
    if (error instanceof LabError) return '';
    throw error;
  }
}

/**
 * With src_valid_mark the reverse path of a marked packet is looked up with its mark, and there it leads
 * to this host itself (`local`): a martian. Whatever rp_filter says: fib_validate_source in net/ipv4/fib_frontend.c.
 */
function checkSourceValidation(stage: Stage): Finding | null {
  for (const scope of ['all', 'inside', 'outside']) {
    const path = `/proc/sys/net/ipv4/conf/${scope}/src_valid_mark`;
    const value = stage.lab.gateway.within(() => readFileSync(path, 'utf8').trim());
    if (value === '0') continue;
    return {
      reason: 'src-valid-mark',
      cause: `net.ipv4.conf.${scope}.src_valid_mark is ${value} (WireGuard and Tailscale set it): the kernel drops marked packets as martians.`,
      remedy: `sysctl -w net.ipv4.conf.${scope}.src_valid_mark=0`,
      steps: [read(path, value)],
    };
  }
  return null;
}

function read(target: string, detail: string): Step {
  return { call: 'read', target, result: 0, errno: null, errorName: null, detail };
}
