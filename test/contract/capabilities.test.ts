/** `origdst capabilities` as a script and as a person meet it. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { catalogue } from '../../platforms/index.ts';
import type { CapabilityReport, CapabilityRow } from '../../src/matrix.ts';
import { rowId } from '../../src/mechanism.ts';
import { origdst } from '../support/cli.ts';
import { assertSchema } from '../support/schema.ts';

const NOBODY = 65534;

function report(args: string[] = [], options: Parameters<typeof origdst>[1] = {}): CapabilityReport {
  const ran = origdst(['capabilities', '--json', ...args], options);
  assert.equal(ran.code, 0, ran.stderr);
  assert.equal(ran.stderr, '');
  const document = JSON.parse(ran.stdout);
  assertSchema('capabilities', document);
  return document;
}

function row(of: CapabilityReport, id: string): CapabilityRow {
  const found = of.results.find((one) => one.id === id);
  assert(found !== undefined, `no row ${id}`);
  return found;
}

test('every row of the catalogue is there, once, with evidence', () => {
  const { results, summary } = report();
  const expected = catalogue.flatMap(({ name, questions }) =>
    questions.map((question) => rowId(name, question)),
  );
  assert.deepEqual(
    results.map(({ id }) => id),
    expected,
  );
  assert.equal(
    Object.values(summary).reduce((sum, count) => sum + count, 0),
    expected.length,
  );
  for (const { id, verdict, evidence, cause } of results) {
    assert(evidence.length > 0, id);
    if (verdict !== 'available' && verdict !== 'proven')
      assert(cause !== null, `${id} is ${verdict} without a cause`);
  }
});

test('mechanisms of other systems are other-os', () => {
  const { host, results } = report();
  const foreign = catalogue.filter(({ os }) => !os.some((one) => one === host.os)).map(({ name }) => name);
  assert(foreign.length > 0);
  for (const one of results.filter(({ mechanism }) => foreign.includes(mechanism)))
    assert.equal(one.verdict, 'other-os');
});

describe('on this Linux, as root', () => {
  test('netfilter and tproxy4 are available, and each control failed as it must', () => {
    const { results } = report(['--mechanism', 'netfilter', '--mechanism', 'tproxy4']);
    assert.equal(results.length, 16);
    for (const { id, verdict, evidence } of results) {
      assert.equal(verdict, 'available', id);
      for (const step of evidence.filter(({ detail }) => detail.startsWith('control:'))) {
        assert.notEqual(step.errorName, null, `the control of ${id} succeeded`);
      }
    }
    assert(
      results
        .filter(({ operation }) => operation !== 'lookup')
        .every(({ evidence }) => evidence.some(({ detail }) => detail.startsWith('control:'))),
    );
  });
});

test('as nobody: what is only forbidden is denied, never absent', () => {
  const asRoot = report();
  const asNobody = report([], { uid: NOBODY });
  assert.equal(row(asNobody, 'netfilter.lookup.ipv4.tcp').verdict, 'available');
  assert.equal(row(asNobody, 'netfilter.lookup.ipv6.udp').verdict, 'denied');
  assert.equal(row(asNobody, 'tproxy4.accept.ipv4.tcp').verdict, 'denied');
  assert.equal(row(asNobody, 'tproxy4.lookup.ipv6.udp').verdict, 'available');
  for (const { id, verdict, remedy } of asNobody.results) {
    const before = row(asRoot, id).verdict;
    if (verdict === 'absent') assert.equal(before, 'absent', id);
    if (verdict === 'denied') assert(remedy?.includes('sudo'), id);
    assert(verdict === before || verdict === 'denied', `${id}: ${before} became ${verdict}`);
  }
});

test('without the native module: it still runs, and says why there is none', () => {
  const document = report([], { env: { ORIGDST_NATIVE: '/nonexistent/origdst.node' } });
  assert.equal(document.native.loaded, false);
  assert.match(document.native.cause ?? '', /could not be loaded/);
  assert.equal(row(document, 'netfilter.lookup.ipv4.tcp').verdict, 'unknown');
  assert.equal(row(document, 'netfilter.lookup.ipv4.tcp').reason, 'native-missing');
  assert(
    row(document, 'netfilter.lookup.ipv4.tcp').evidence.some(({ target }) => target.startsWith('/proc/')),
  );
  assert.equal(row(document, 'pf.lookup.ipv4.tcp').verdict, 'other-os');
});

describe('--require', () => {
  const gate = (...args: string[]) => origdst(['capabilities', '--quiet', ...args]).code;

  test('met: 0, unmet: 3', () => {
    assert.equal(gate('--require', 'netfilter.lookup.ipv4.tcp'), 0);
    assert.equal(gate('--require', 'tproxy4.*'), 0);
    assert.equal(gate('--require', 'tproxy4.*=available'), 0);
    assert.equal(gate('--require', 'tproxy2.*'), 3);
    assert.equal(gate('--require', 'tproxy2.*=absent'), 0);
    assert.equal(gate('--require', 'netfilter.*', '--require', 'pf.*'), 3);
    assert.equal(gate('--require', 'pf.*=other-os'), 0);
  });

  test('only forbidden to be looked into: 5', () => {
    const ran = origdst(['capabilities', '--require', 'tproxy4.accept.*'], { uid: NOBODY });
    assert.equal(ran.code, 5);
    assert.match(ran.stdout, /require tproxy4\.accept\.\*: not permitted: tproxy4\.accept\.ipv4\.tcp/);
  });

  test('a row that does not exist, a verdict that does not exist: 2', () => {
    for (const wrong of ['netfitler.*', 'netfilter.lookup.ipv4.tcp=good', '=proven', 'a=b=c']) {
      const ran = origdst(['capabilities', '--require', wrong]);
      assert.equal(ran.code, 2, wrong);
      assert.equal(ran.stdout, '', wrong);
      assert.match(ran.stderr, /^origdst capabilities: /, wrong);
    }
  });

  test('the JSON answer carries the requirements', () => {
    const ran = origdst(['capabilities', '--json', '--require', 'tproxy2.*']);
    assert.equal(ran.code, 3);
    const document = JSON.parse(ran.stdout);
    assertSchema('capabilities', document);
    assert.equal(document.requirements[0].met, false);
  });
});
