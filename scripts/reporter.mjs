// Reporter for `node --test`: one line a test, the failures again in full at the end, and then the
// one line that other programs read: "N passed, N failed, N skipped".
//
// It is stricter than the runner in three cases, where silence would be read as success:
// a file that ran no test fails; a run that ran no test fails; and where CI=true a skipped test
// fails too, because there a missing privilege or program is a fault of the set-up.

import { relative } from 'node:path';
import { inspect } from 'node:util';

const strict = process.env.CI === 'true';
const counts = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
const output = new Map(); // what each test file wrote, shown only if it fails

/** The file's path as the user would type it. */
function fileOf(data) {
  return relative(process.cwd(), data.entryFile ?? data.file ?? '') || 'test';
}

/** 'suite › test' on one line, from the class name that the runner joins with dots. */
function titleOf(data) {
  const title = data.classname ? `${data.classname} › ${data.name}` : data.name;
  return title.replaceAll('\n', '\\n');
}

/** The error that the test threw, not the runner's wrapper around it. */
function reasonOf(error) {
  const cause = error?.cause ?? error;
  if (typeof cause === 'string') return cause;
  return cause?.stack ? inspect(cause, { colors: false, depth: 4 }) : inspect(cause);
}

function fail(data, title, reason) {
  counts.failed += 1;
  failures.push({ file: fileOf(data), line: data.line, title, reason });
  return `  FAIL  ${title}\n`;
}

function skip(data, what) {
  const reason = typeof data[what] === 'string' ? data[what] : what;
  if (strict) return fail(data, titleOf(data), `not run, which counts as a failure where CI=true: ${reason}`);
  counts.skipped += 1;
  return `  skip  ${titleOf(data)}: ${reason}\n`;
}

/** The line for a finished test; undefined where nothing was asked of the code under test. */
function lineFor(type, data) {
  const error = data.details.error;
  // Its children have been reported already, and the failing ones are among them.
  if (error?.failureType === 'subtestsFailed') return undefined;
  if (data.entryFile === undefined) {
    // The process of a test file, which the runner reports only when it holds no test or broke.
    if (type === 'test:pass') return fail(data, fileOf(data), 'this file ran no test');
    const end = error?.signal ? `ended by ${error.signal}` : `exited with code ${error?.exitCode}`;
    return fail(data, fileOf(data), `the process of this test file ${end}; see what it wrote`);
  }
  if (data.skip !== undefined) return skip(data, 'skip');
  if (data.todo !== undefined) return skip(data, 'todo');
  if (type === 'test:fail') return fail(data, titleOf(data), reasonOf(error));
  if (data.details.type === 'suite') return undefined;
  counts.passed += 1;
  return `  ok    ${titleOf(data)} (${Math.round(data.details.duration_ms)} ms)\n`;
}

function keep(data) {
  const file = fileOf(data);
  output.set(file, (output.get(file) ?? '') + data.message);
}

function* account() {
  const shown = new Set();
  for (const { file, line, title, reason } of failures) {
    yield `\nFAIL  ${title}\n      ${file}:${line}\n${reason.replace(/^/gm, '      ')}\n`;
    const wrote = output.get(file);
    if (!wrote || shown.has(file)) continue;
    shown.add(file);
    yield `      -- what ${file} wrote --\n${wrote.trimEnd().replace(/^/gm, '      | ')}\n`;
  }
  if (counts.passed + counts.failed === 0) yield '\nFAIL  no test ran\n';
  yield `\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`;
}

export default async function* report(events) {
  let heading = '';
  for await (const { type, data } of events) {
    if (type === 'test:stdout' || type === 'test:stderr') keep(data);
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const line = lineFor(type, data);
    if (line === undefined) continue;
    if (fileOf(data) !== heading) {
      heading = fileOf(data);
      yield `${heading}\n`;
    }
    yield line;
  }
  if (counts.failed > 0 || counts.passed === 0) process.exitCode = 1;
  yield* account();
}
