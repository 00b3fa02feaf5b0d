/** Exit codes of every command, as origdst(1) documents them. */

export const ExitCode = {
  yes: 0,
  internal: 1,
  usage: 2,
  no: 3,
  notHere: 4,
  notPermitted: 5,
  timedOut: 6,
  interrupted: 130,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** An end that the user can act on: a sentence, the command that mends it, and the exit code. */
export class Failure extends Error {
  readonly exitCode: ExitCode;
  readonly remedy: string | null;
  constructor(exitCode: ExitCode, message: string, remedy: string | null = null) {
    super(message);
    this.exitCode = exitCode;
    this.remedy = remedy;
  }
}
