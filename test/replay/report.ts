/** What a user of the BSD would see of a replayed case, as text. */

import type { LookupResult } from '../../src/inquiry.ts';
import { renderLookup } from '../../src/render/lookup-table.ts';
import { outputTo } from '../../src/render/output.ts';
import type { LookupVerdict, Step } from '../../src/verdict.ts';
import type { Replayed } from './replay.ts';

export function report(rows: readonly Replayed[]): string {
  return rows.map(block).join('\n');
}

function block(row: Replayed): string {
  const { one, recording } = row;
  const derived = one.calls.filter((call) => call.derived !== undefined).length;
  const origin = derived === 0 ? 'as recorded' : `${derived} of ${one.calls.length} calls derived`;
  return [
    `=== ${one.name}`,
    `    ${recording}, ${one.operation}, ${origin}`,
    ...row.steps.map(line),
    ...(one.operation === 'message' ? [`    sent to ${JSON.stringify(row.original)}`] : []),
    ...(row.conclusion === null ? [] : ['', row.one.operation === 'lookup' ? table(row) : verdict(row)]),
    '',
  ].join('\n');
}

function line(step: Step): string {
  const said = step.errorName ?? String(step.result);
  return `    ${step.call} ${step.target} = ${said}${step.detail === '' ? '' : ` (${step.detail})`}`;
}

function verdict({ conclusion }: Replayed): string {
  const { verdict, reason, cause, remedy } = conclusion ?? {};
  return [
    `${verdict}: ${reason}`,
    ...(cause == null ? [] : [cause]),
    ...(remedy == null ? [] : [`  mend: ${remedy}`]),
  ].join('\n');
}

/** The renderer that `origdst lookup` uses. */
function table(row: Replayed): string {
  let text = '';
  const write = (chunk: string) => {
    text += chunk;
  };
  renderLookup([result(row)], outputTo({ write, columns: 110 }, {}));
  return `${row.conclusion?.reason}\n${text.trimEnd()}`;
}

function result(row: Replayed): LookupResult {
  const { verdict, reason, cause, remedy } = row.conclusion ?? {
    verdict: 'failed',
    reason: '',
    cause: null,
    remedy: null,
  };
  const asserted = verdict === 'translated' || verdict === 'inferred';
  return {
    flow: {
      protocol: row.one.flow?.protocol === 17 ? 'udp' : 'tcp',
      peer: row.peer,
      local: row.local,
      pid: null,
      fd: null,
      process: null,
      netns: null,
      zone: 0,
    },
    original: asserted ? row.original : null,
    verdict: verdict as LookupVerdict,
    reason,
    cause,
    remedy,
    mechanism: row.mechanism as LookupResult['mechanism'],
    evidence: [],
  };
}
