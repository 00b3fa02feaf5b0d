/** What every command shares: `--json`, exit codes, and errors that a person can act on. */

import { Command } from '@oclif/core/command';
import { boolean } from '@oclif/core/flags';
import { ExitCode, Failure } from './exit-codes.ts';
import { NativeMissing } from './native.ts';
import { type Output, outputTo } from './render/output.ts';

export abstract class OrigdstCommand extends Command {
  static override baseFlags = {
    json: boolean({ description: 'Print one JSON document instead of a table.' }),
  };

  protected readonly output: Output = outputTo(process.stdout);

  /** Runs the command; ends with process.exitCode set, whatever happened. */
  start(): Promise<void> {
    return this._run();
  }

  /** Turns every error into a sentence on stderr and the documented exit code. */
  override async catch(error: Error & { oclif?: { exit?: number }; code?: string }): Promise<void> {
    const problem = asFailure(error);
    process.exitCode = problem.exitCode;
    const name = `${this.config.bin} ${this.id ?? ''}`.trim();
    process.stderr.write(`${name}: ${problem.message}\n`);
    if (problem.remedy !== null) process.stderr.write(`  mend: ${problem.remedy}\n`);
    if (problem.exitCode === ExitCode.usage) process.stderr.write(`  help: ${name} --help\n`);
    if (problem.exitCode === ExitCode.internal) process.stderr.write(`${error.stack}\n`);
  }
}

function asFailure(error: Error & { oclif?: { exit?: number } }): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof NativeMissing) return new Failure(ExitCode.notHere, error.message, error.remedy);
  if (error.oclif?.exit === ExitCode.usage || error instanceof SyntaxError) {
    return new Failure(ExitCode.usage, parserSentence(error.message));
  }
  return new Failure(ExitCode.internal, `internal error, please report it: ${error.message}`);
}

/** oclif's parser ends its messages with a hint of its own and blank lines. */
function parserSentence(message: string): string {
  return message
    .replace(/\nSee more help with --help$/, '')
    .replace(/\s*\n+\s*/g, '; ')
    .trim();
}
