/** Why connection tracking has no translation for a connection: zone, namespace, or a rule that exempts it. */

import type { LookupResult, Subject } from '../inquiry.ts';
import type { Native } from '../native.ts';
import type { Endpoint } from '../verdict.ts';
import type { Finding } from './finding.ts';
import { checkNotrack } from './notrack.ts';
import { checkOtherNamespace } from './other-namespace.ts';
import { checkOtherZone } from './other-zone.ts';

/** The result with the cause that was found; as it was where nothing was found, or nothing is amiss. */
export function explainUntracked(native: Native, subject: Subject, result: LookupResult): LookupResult {
  const { verdict, mechanism } = result;
  if (mechanism !== 'netfilter' || (verdict !== 'no-entry' && verdict !== 'untranslated')) return result;
  const peer = withFamily(result.flow.peer);
  const local = withFamily(result.flow.local);
  if (peer === null || local === null) return result;
  const finding = find(native, subject, peer, local, verdict === 'no-entry');
  if (finding === null) return verdict === 'no-entry' ? stillUnknown(result) : result;
  const evidence = finding.steps.map((step) => ({ ...step, mechanism: null }));
  return {
    ...result,
    reason: finding.reason,
    cause: finding.cause,
    remedy: finding.remedy,
    evidence: [...result.evidence, ...evidence],
  };
}

function find(
  native: Native,
  subject: Subject,
  peer: Endpoint,
  local: Endpoint,
  missing: boolean,
): Finding | null {
  const elsewhere = () => checkOtherNamespace(native, subject, peer, local);
  if (!missing) return elsewhere();
  return checkOtherZone(native, subject, peer, local) ?? elsewhere() ?? checkNotrack(native, subject);
}

function stillUnknown(result: LookupResult): LookupResult {
  return {
    ...result,
    cause:
      `${result.cause} No other zone or namespace that this user may ask has it either: it was never tracked (no rule of ` +
      'this namespace needs connection tracking), its entry expired or was deleted, or another machine redirected it.',
    remedy: 'nft list ruleset; conntrack -L   # on the host or router that redirects',
  };
}

function withFamily(endpoint: { address: string; port: number } | null): Endpoint | null {
  return endpoint === null ? null : { ...endpoint, family: endpoint.address.includes(':') ? 6 : 4 };
}
