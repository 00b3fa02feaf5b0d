/**
 * Runs one command line. A command is started directly: oclif's own start-up reads plugins and
 * manifests that this program does not have, and takes longer than the command. Help goes
 * through oclif.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Config } from '@oclif/core/config';
import type { OrigdstCommand } from './command.ts';
import { ExitCode } from './exit-codes.ts';
import { packageRoot } from './native.ts';

interface CommandClass {
  id: string;
  new (argv: string[], config: Config): OrigdstCommand;
}

const COMMANDS: Record<string, () => Promise<{ default: CommandClass }>> = {
  capabilities: () => import('./commands/capabilities.ts'),
  doctor: () => import('./commands/doctor.ts'),
  flows: () => import('./commands/flows.ts'),
  'listen-test': () => import('./commands/listen-test.ts'),
  lookup: () => import('./commands/lookup.ts'),
  'rules check': () => import('./commands/rules/check.ts'),
  'rules convert': () => import('./commands/rules/convert.ts'),
  'rules explain': () => import('./commands/rules/explain.ts'),
  'rules format': () => import('./commands/rules/format.ts'),
  'rules generate': () => import('./commands/rules/generate.ts'),
  'spoof-connect': () => import('./commands/spoof-connect.ts'),
};

export async function run(argv: readonly string[]): Promise<void> {
  quietOnClosedPipe();
  const [first = '--help', second] = argv;
  if (first === 'help') return explain(argv.slice(1));
  if (first === '--version') {
    const { versionText } = await import('./version.ts');
    process.stdout.write(versionText());
    return;
  }
  const topic = isTopic(first);
  if (first.startsWith('-') || asksForHelp(argv.slice(1)) || (topic && second === undefined)) {
    return explain(argv);
  }
  const name = topic ? `${first} ${second}` : first;
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined) {
    const names = Object.keys(COMMANDS).filter((one) => !topic || one.startsWith(`${first} `));
    process.stderr.write(`origdst: there is no command '${name}'; there are ${names.join(', ')}\n`);
    process.exitCode = ExitCode.usage;
    return;
  }
  const { default: Command } = await load();
  Command.id = name;
  await new Command(argv.slice(topic ? 2 : 1), configuration()).start();
}

/** The first word of commands that have two. */
function isTopic(word: string): boolean {
  return Object.keys(COMMANDS).some((name) => name.startsWith(`${word} `));
}

/** Help, as oclif draws it: `help COMMAND` is `COMMAND --help`. */
async function explain(argv: readonly string[]): Promise<void> {
  const asked = argv.some((word) => word.startsWith('-')) ? argv : [...argv, '--help'];
  const { execute } = await import('@oclif/core/execute');
  await execute({ args: [...asked], dir: packageRoot() });
}

function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).some((word) => word === '--help' || word === '-h');
}

/** What a command needs of oclif's configuration, without loading the rest. */
function configuration(): Config {
  const root = packageRoot();
  const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { name, version, oclif } = pjson;
  const runHook = async () => ({ successes: [], failures: [] });
  return Object.assign(new Config({ root }), { root, pjson, name, version, bin: oclif.bin, runHook });
}

/** `origdst … | head -1` must end without a word. */
function quietOnClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
}
