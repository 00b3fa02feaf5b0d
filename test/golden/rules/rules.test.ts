/** Conversions, working sets and reports, to the byte. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type ConvertOptions, PF_SYSTEMS, TARGETS } from '../../../src/convert/conversion.ts';
import { convert } from '../../../src/convert/convert.ts';
import { bsdSet } from '../../../src/generate/bsd.ts';
import { linuxSet } from '../../../src/generate/linux.ts';
import type { Scenario, WorkingSet } from '../../../src/generate/scenario.ts';
import type { Output } from '../../../src/render/output.ts';
import { renderCheck, renderExplanation, renderSet } from '../../../src/render/rules-text.ts';
import { check } from '../../../src/translation/check.ts';
import { explain } from '../../../src/translation/explain.ts';
import { parseFlow } from '../../../src/translation/flow.ts';
import { format } from '../../../src/translation/format.ts';
import { load } from '../../../src/translation/loader.ts';
import { asRule } from '../../../src/translation/rule.ts';

const EXAMPLE = readFileSync(new URL('example.translation', import.meta.url), 'latin1');
const DOCUMENTED = readFileSync(new URL('documented.translation', import.meta.url), 'latin1');

/** UPDATE_GOLDEN=1 writes the files anew; the difference is then for a person to read. */
function assertGolden(name: string, text: string): void {
  const path = new URL(`${name}.txt`, import.meta.url);
  if (process.env.UPDATE_GOLDEN) writeFileSync(path, text);
  assert.equal(text, readFileSync(path, 'utf8'));
}

function drawn(draw: (output: Output) => void): string {
  const pieces: string[] = [];
  draw({ write: (text) => void pieces.push(text), width: 80, limit: 80, colour: 0 });
  return pieces.join('');
}

function converted(to: (typeof TARGETS)[number], options: ConvertOptions): string {
  const { lines, problems } = convert('example.translation', EXAMPLE, to, options);
  return `${lines.join('\n')}\n\n${problems.map(({ rule, line, cause }) => `${rule} ${line} ${cause}`).join('\n')}\n`;
}

for (const to of TARGETS) {
  if (to === 'pf') {
    for (const pf of PF_SYSTEMS) {
      test(`pf of ${pf}`, () => assertGolden(`convert-pf-${pf}`, converted(to, { interface: null, pf })));
    }
  } else {
    test(to, () => assertGolden(`convert-${to}`, converted(to, { interface: 'em0', pf: 'freebsd' })));
  }
}

test('check', () => {
  assertGolden(
    'check',
    drawn((output) => renderCheck(check('example.translation', EXAMPLE), output)),
  );
  assertGolden(
    'check-documented',
    drawn((output) => renderCheck(check('translation', DOCUMENTED), output)),
  );
});

test('explain', () => {
  const loaded = load(DOCUMENTED);
  const flow = {
    ...parseFlow('tcp 192.168.0.3:40000 193.70.192.70:110'),
    inDevice: null,
    outDevice: null,
    ownAddress: null,
  };
  const explanation = explain(loaded, loaded.rules.map(asRule), flow, false);
  assertGolden(
    'explain-documented',
    drawn((output) => renderExplanation(explanation, output)),
  );
});

test('the example is formatted already', () => assert.equal(format(EXAMPLE), EXAMPLE));

const SCENARIO: Scenario = {
  mechanism: 'tproxy4',
  tool: 'nft',
  protocol: 'tcp',
  families: [4],
  ports: [80, 8080],
  to: { address: null, port: 3129 },
  interface: 'em1',
};

function whole(set: WorkingSet): string {
  return drawn((output) => {
    renderSet(set, false, output);
    renderSet(set, true, output);
  });
}

for (const mechanism of ['pf', 'divert', 'ipfw', 'ipfilter', 'npf'] as const) {
  test(`a working set for ${mechanism}`, () => {
    assertGolden(`generate-${mechanism}`, whole(bsdSet({ ...SCENARIO, mechanism }, 'freebsd')));
  });
}
test('a working set for pf of OpenBSD', () => {
  assertGolden(
    'generate-pf-openbsd',
    whole(bsdSet({ ...SCENARIO, mechanism: 'pf', families: [4, 6] }, 'openbsd')),
  );
});
for (const tool of ['nft', 'iptables'] as const) {
  for (const mechanism of ['netfilter', 'tproxy4'] as const) {
    test(`a working set for ${mechanism} by ${tool}`, () => {
      const set = linuxSet({ ...SCENARIO, mechanism, tool, families: [4, 6] }, () => '1');
      assertGolden(`generate-${mechanism}-${tool}`, whole(set));
    });
  }
}
