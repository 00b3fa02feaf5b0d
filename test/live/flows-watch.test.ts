/** `flows --watch`: connections as they come and go, and exact words about what was missed. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { requireNative } from '../../src/native.ts';
import type { News } from '../../src/table/follow.ts';
import { RUN } from '../support/cli.ts';
import { ConntrackTable } from '../support/conntrack.ts';
import { eventually } from '../support/eventually.ts';
import { assertSchema } from '../support/schema.ts';

const native = requireNative();

interface Watched {
  child: ChildProcess;
  news: Exclude<News, { event: 'quiet' }>[];
  count(event: News['event'], source?: 'event' | 'table'): number;
  lost(): number;
}

function watch(table: ConntrackTable, args: readonly string[] = []): Watched {
  const child = spawn(process.execPath, [RUN, 'flows', '--watch', '--jsonl', '--netns', table.path, ...args]);
  after(() => void child.kill('SIGKILL'));
  const news: Watched['news'] = [];
  createInterface({ input: child.stdout }).on('line', (line) => news.push(JSON.parse(line)));
  return {
    child,
    news,
    count: (event, source) =>
      news.filter(
        (one) => one.event === event && (source === undefined || ('source' in one && one.source === source)),
      ).length,
    lost: () => news.reduce((sum, one) => sum + (one.event === 'lost' ? (one.lost ?? Number.NaN) : 0), 0),
  };
}

function newTable(): ConntrackTable {
  const table = new ConntrackTable(native);
  after(() => table.close());
  return table;
}

/** What /proc/net/netlink counts of the one socket in there that hears of something. */
function dropped(table: ConntrackTable): number {
  const rows = table.run('cat', ['/proc/net/netlink']).split('\n');
  const hearing = rows
    .map((row) => row.trim().split(/ +/))
    .filter(([, , , groups]) => /[1-9a-f]/.test(groups ?? ''));
  const [columns = []] = hearing.filter((row) => row[1] === '12');
  return Number(columns[8]);
}

async function interrupt({ child }: Watched): Promise<void> {
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'exit'), [130, null]);
}

test('what is there, what comes, what goes; and Ctrl-C ends it', async () => {
  const table = newTable();
  table.change('add', 0, 100, 'plain');
  const seen = watch(table, ['--port', '8110']);
  await eventually(
    () => seen.count('present') === 100,
    () => `100 present, not ${seen.count('present')}`,
  );
  table.change('add', 100, 50, 'plain');
  await eventually(
    () => seen.count('new') === 50,
    () => `50 new, not ${seen.count('new')}`,
  );
  table.change('delete', 100, 20, 'plain');
  await eventually(
    () => seen.count('destroyed') === 20,
    () => `20 destroyed, not ${seen.count('destroyed')}`,
  );
  assert.equal(seen.count('new', 'event'), 50);
  assert.equal(seen.count('destroyed', 'event'), 20);
  assert.equal(seen.lost(), 0);
  for (const one of seen.news) {
    assertSchema('flows-watch', one);
    if (one.event !== 'lost')
      assertSchema('flows', { schema: 'origdst.flows/1', flows: [one.flow], evidence: [STEP] });
  }
  await interrupt(seen);
});

const STEP = { call: '', target: '', result: 0, errno: null, errorName: null, detail: '' };

test('an end that no event tells is found by reading the table again', async () => {
  const table = newTable();
  table.change('add', 0, 10, 'plain'); // before anybody listens: such entries have no events
  const seen = watch(table);
  await eventually(
    () => seen.count('present') === 10,
    () => '10 present',
  );
  table.change('delete', 0, 10, 'plain');
  await eventually(
    () => seen.count('destroyed') === 10,
    () => '10 destroyed',
  );
  await interrupt(seen);
});

for (const [size, buffer] of [
  ['a large buffer', []],
  ['a buffer that is too small', ['--buffer', '65536']],
] as [string, string[]][]) {
  test(`50,000 new connections and ${size}: each is told, or counted as lost`, async () => {
    const COUNT = 50_000;
    const table = newTable();
    const seen = watch(table, buffer);
    table.change('add', COUNT, 1, 'plain');
    await eventually(
      () => seen.news.length === 1,
      () => 'the first connection',
    );
    table.change('add', 0, COUNT, 'plain');
    const told = () => seen.count('new') + seen.count('present');
    await eventually(
      () => told() === COUNT + 1,
      () => `${told()} told and ${seen.lost()} lost of ${COUNT + 1}, ${seen.count('new', 'table')} read`,
    );
    assert.equal(seen.lost(), dropped(table), 'as many as the kernel itself counted');
    if (buffer.length > 0) assert(seen.lost() > 0, 'nothing was lost, so that nothing was tested');
    if (seen.lost() === 0) assert.equal(seen.count('new', 'table'), 0);
    else assert(seen.count('new', 'table') >= seen.lost(), 'what was lost is found in the table');
    const clients = new Set(seen.news.map((one) => ('flow' in one ? one.flow.client.address : '')));
    clients.delete('');
    assert.equal(clients.size, COUNT + 1);
    await interrupt(seen);
  });
}

test('a terminal shows a table that is drawn anew, and gets its screen back', async () => {
  const table = newTable();
  table.change('add', 0, 3, 'plain');
  const command = `'${process.execPath}' '${RUN}' flows --watch --netns ${table.path}`;
  // stty: a pseudo-terminal that script(1) makes without one of its own has no size.
  const child = spawn('script', ['-qfec', `stty rows 24 cols 80; exec ${command}`, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm' },
  });
  after(() => void child.kill('SIGKILL'));
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  await eventually(
    () => text.includes('3 connections, 0 new, 0 ended'),
    () => `the table, not ${text}`,
  );
  table.change('add', 3, 2, 'plain');
  await eventually(
    () => text.includes('5 connections, 2 new, 0 ended'),
    () => 'the new connections',
  );
  assert.match(text, /tcp +10\.0\.0\.4:1028 +198\.18\.4\.5:80 +192\.0\.2\.1:8110 +destination/);
  const frames = text.split('\u001b[H').slice(1);
  for (const frame of frames) assert(frame.split('\r\n').length <= 24, 'a frame fits the terminal');
  child.stdin.write('\u0003'); // Ctrl-C as the terminal sends it
  assert.deepEqual(await once(child, 'exit'), [130, null]);
  assert(text.includes('\u001b[?1049h') && text.trimEnd().endsWith('\u001b[?1049l'));
});
