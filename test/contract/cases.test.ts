/** Every mechanism's cases.json: what the kernel said, and what must be concluded from it. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { ipfire } from '../../platforms/linux/ipfire/mechanism.ts';
import { netfilter } from '../../platforms/linux/netfilter/mechanism.ts';
import { tproxy2 } from '../../platforms/linux/tproxy2/mechanism.ts';
import { tproxy4 } from '../../platforms/linux/tproxy4/mechanism.ts';
import type { HostContext, LookupAttempt, Mechanism } from '../../src/mechanism.ts';
import type { CapabilityVerdict, Endpoint, LookupVerdict, Question, Step } from '../../src/verdict.ts';

interface Case<Verdict> {
  name: string;
  steps: Partial<Step>[];
  verdict: Verdict;
  reason: string;
  remedy?: string;
}

interface Cases {
  probes: (Case<CapabilityVerdict> & {
    question: Question;
    host?: { options?: Record<string, 'y' | 'm' | 'n'>; files?: string[]; lists?: Record<string, string[]> };
  })[];
  lookups?: (Case<LookupVerdict> & {
    protocol?: LookupAttempt['protocol'];
    original?: Endpoint;
    local?: Endpoint;
    peer?: null;
  })[];
}

const PEER: Endpoint = { address: '192.0.2.2', port: 40000, family: 4 };
const LOCAL: Endpoint = { address: '192.0.2.1', port: 8110, family: 4 };

for (const mechanism of [netfilter, tproxy4, tproxy2, ipfire]) {
  const path = new URL(`../../platforms/linux/${mechanism.name}/cases.json`, import.meta.url);
  assert(existsSync(path));
  const cases: Cases = JSON.parse(readFileSync(path, 'utf8'));
  describe(mechanism.name, () => {
    for (const one of cases.probes) test(`probe: ${one.name}`, () => probe(mechanism, one));
    for (const one of cases.lookups ?? []) test(`lookup: ${one.name}`, () => lookup(mechanism, one));
  });
}

function probe(mechanism: Mechanism, one: Cases['probes'][number]): void {
  const host = context(one.host ?? {});
  const refused = mechanism.refuseProbe?.(one.question, host) ?? null;
  const attempt = { original: null, steps: one.steps.map(step) };
  assert(refused !== null || attempt.steps.length > 0, 'a case without steps must be refused');
  const conclusion = refused ?? mechanism.concludeProbe?.(one.question, attempt, host);
  assertConclusion(conclusion, one, one.verdict === 'available');
}

function lookup(mechanism: Mechanism, one: NonNullable<Cases['lookups']>[number]): void {
  const conclusion = mechanism.concludeLookup?.({
    protocol: one.protocol ?? 'tcp',
    peer: one.peer === undefined ? PEER : null,
    local: one.local ?? LOCAL,
    original: one.original ?? null,
    zone: 0,
    steps: one.steps.map(step),
  });
  assertConclusion(conclusion, one, one.verdict === 'translated');
}

function assertConclusion(
  conclusion: { verdict: string; reason: string; cause: string | null; remedy: string | null } | undefined,
  expected: Case<string>,
  good: boolean,
): void {
  assert(conclusion !== undefined);
  assert.equal(conclusion.verdict, expected.verdict);
  assert.equal(conclusion.reason, expected.reason);
  assert.equal(conclusion.cause === null, good, `cause: ${conclusion.cause}`);
  assert.equal(conclusion.remedy === null, good, `remedy: ${conclusion.remedy}`);
  if (!good) assert.match(conclusion.cause ?? '', /^\S.*\.$/);
  if (expected.remedy !== undefined) assert.equal(conclusion.remedy, expected.remedy);
}

function step(of: Partial<Step>): Step {
  const failed = of.errorName !== undefined;
  return {
    call: '',
    target: '',
    result: failed ? -1 : 0,
    errno: failed ? 1 : null,
    errorName: null,
    detail: '',
    ...of,
  };
}

function context({
  options = {},
  files = [],
  lists = {},
}: {
  options?: Record<string, 'y' | 'm' | 'n'>;
  files?: string[];
  lists?: Record<string, string[]>;
}): HostContext {
  return {
    kernelOption: (name) => options[name] ?? null,
    exists: (path) =>
      step({ call: 'stat', target: path, ...(files.includes(path) ? {} : { errorName: 'ENOENT' }) }),
    lists: (path, word) =>
      step({
        call: 'read',
        target: `${path}: ${word}`,
        ...(lists[path]?.includes(word) ? {} : { errorName: 'ENOENT' }),
      }),
  };
}
