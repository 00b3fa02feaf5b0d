/** The replayed loader and module against the recording of the originals: words, exit status, connections. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { explain } from '../../src/translation/explain.ts';
import { parseFlow } from '../../src/translation/flow.ts';
import { load } from '../../src/translation/loader.ts';
import { asRule } from '../../src/translation/rule.ts';

interface Recorded {
  case: string;
  file: string;
  says: string;
  status: number;
  connections: { from: string; to: string; outcome: string; original?: string }[];
}

const { cases }: { cases: Recorded[] } = JSON.parse(
  readFileSync(new URL('translation-recorded.json', import.meta.url), 'utf8'),
);

/** The control program's own first words were in the same line once. */
const GREETING = 'Setting up interprocess communication... ';

describe('what IPFIRE-wall’s own loader and module did', () => {
  for (const recorded of cases) {
    test(recorded.case, () => {
      const loaded = load(recorded.file);
      assert.equal(loaded.status, recorded.status);
      assert.equal(loaded.says.join('\n'), recorded.says.replace(GREETING, ''));
      for (const connection of recorded.connections) {
        assert.match(outcome(loaded, connection.from, connection.to), expected(connection.outcome));
      }
    });
  }
});

function expected(outcome: string): RegExp {
  switch (outcome) {
    case 'redirected to 8110':
      return /^192\.168\.0\.1:8110$/;
    case 'reached the origin server':
      return /^untouched$/;
    case 'no connection':
      // Changed, and to a place where nobody listens.
      return /^(?!192\.168\.0\.1:8110$|untouched$)/;
    default:
      throw new Error(`the recording says '${outcome}'`);
  }
}

/** Where the connection ends up: `untouched`, or the address and port that a rule makes of it. */
function outcome(loaded: ReturnType<typeof load>, from: string, to: string): string {
  if (loaded.refusals.length > 0) return 'untouched';
  const flow = { ...parseFlow(`tcp ${from}:41000 ${to}`), inDevice: 'p0', outDevice: null, ownAddress: null };
  const { verdict, after } = explain(loaded, loaded.rules.map(asRule), flow, false);
  return verdict === 'redirected' ? `${after.destination.address}:${after.destination.port}` : 'untouched';
}
