/**
 * Runs one command line. A known command is started directly: oclif's own start-up reads plugins and
 * manifests that this program does not have, and takes longer than the command. Help, versions and
 * mistyped commands go through oclif.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Config } from '@oclif/core/config';
import type { OrigdstCommand } from './command.ts';
import { packageRoot } from './native.ts';

interface CommandClass {
  id: string;
  new (argv: string[], config: Config): OrigdstCommand;
}

const COMMANDS: Record<string, () => Promise<{ default: CommandClass }>> = {
  capabilities: () => import('./commands/capabilities.ts'),
  lookup: () => import('./commands/lookup.ts'),
};

export async function run(argv: readonly string[]): Promise<void> {
  quietOnClosedPipe();
  const [name = '', ...rest] = argv;
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined || asksForHelp(rest)) {
    const { execute } = await import('@oclif/core/execute');
    await execute({ args: [...argv], dir: packageRoot() });
    return;
  }
  const { default: Command } = await load();
  Command.id = name;
  await new Command(rest, configuration()).start();
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
