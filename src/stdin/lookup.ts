/**
 * `lookup --stdin`: a stream of connections, answered in order. What has arrived is asked at once,
 * so that a program that waits for each answer gets it, and a file goes through in thousands.
 */

import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { ExitCode, Failure } from '../exit-codes.ts';
import { Borrowed } from '../flows/subject.ts';
import { NamespaceError, namespaceFailure } from '../host/namespaces.ts';
import type { Native } from '../native.ts';
import { ByteWriter } from '../table/byte-writer.ts';
import { tableFailure } from '../table/read.ts';
import { Records } from '../table/record.ts';
import type { LookupVerdict } from '../verdict.ts';
import { writeAnswer } from './answer.ts';
import { LONGEST_LINE, linesOf } from './lines.ts';
import { readTuple } from './tuple.ts';

const BATCH = 4096;
const SHOWN = 200;

export interface StdinOptions {
  /** Zone of the lines that name none. */
  zone: number;
  /** The namespace to ask in; null for this process's own. */
  netns: { fd: number; name: string } | null;
}

/** @returns the exit code: what hindered a line most, else whether every line has an original destination */
export async function lookupStream(
  native: Native,
  input: AsyncIterable<string>,
  output: Writable,
  options: StdinOptions,
): Promise<ExitCode> {
  const batch = new Batch(native, options);
  for await (const lines of linesOf(input)) {
    for (let at = 0; at < lines.length; at += BATCH) {
      const answers = batch.answer(lines.slice(at, at + BATCH));
      if (!output.write(answers)) await once(output, 'drain');
    }
  }
  return batch.exitCode();
}

class Batch {
  readonly #native: Native;
  readonly #options: StdinOptions;
  readonly #asked = new Records(BATCH);
  readonly #answered = new Records(BATCH);
  readonly #writer = new ByteWriter(1 << 21);
  /** Its name as JSON. */
  readonly #netns: string;
  readonly #outcomes = new Set<LookupVerdict | 'malformed'>();
  #line = 0;

  constructor(native: Native, options: StdinOptions) {
    this.#native = native;
    this.#options = options;
    this.#netns = JSON.stringify(options.netns?.name ?? null);
  }

  /** The answers to at most BATCH lines. */
  answer(lines: readonly string[]): Buffer {
    let questions = 0;
    const slots = lines.map((line): string | null => {
      this.#line += 1;
      try {
        if (line.length > LONGEST_LINE)
          throw new SyntaxError(`the line is longer than ${LONGEST_LINE} characters`);
        readTuple(line, this.#options.zone, this.#asked, questions);
        questions += 1;
        return null;
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        return this.#malformed(line, error.message);
      }
    });
    this.#ask(questions);
    let next = 0;
    for (const slot of slots) {
      if (slot === null) this.#answer(next++);
      else this.#writer.text(slot);
    }
    return this.#writer.take();
  }

  #ask(questions: number): void {
    if (questions === 0) return;
    const used = this.#asked.bytes.subarray(0, questions * (this.#asked.bytes.length / BATCH));
    this.#answered.bytes.set(used);
    const steps = this.#native.lookupEntries(
      this.#answered.bytes.subarray(0, used.length),
      this.#options.netns?.fd,
    );
    const refused = steps.find((step) => step.call === 'setns' && step.errorName !== null);
    if (refused !== undefined) throw tableFailure(refused);
  }

  #answer(at: number): void {
    const [asked, answered] = [this.#asked, this.#answered];
    this.#outcomes.add(writeAnswer(this.#writer, this.#native, asked, answered, at, this.#netns));
  }

  #malformed(line: string, message: string): string {
    this.#outcomes.add('malformed');
    const error = { line: this.#line, reason: 'malformed', message, input: line.slice(0, SHOWN) };
    return `${JSON.stringify({ error })}\n`;
  }

  exitCode(): ExitCode {
    const has = (...outcomes: (LookupVerdict | 'malformed')[]) =>
      outcomes.some((outcome) => this.#outcomes.has(outcome));
    if (has('denied')) return ExitCode.notPermitted;
    if (has('failed')) return ExitCode.internal;
    if (has('malformed')) return ExitCode.usage;
    if (has('unsupported')) return ExitCode.notHere;
    return has('no-entry', 'untranslated', 'reversed') ? ExitCode.no : ExitCode.yes;
  }
}

/**
 * The command: standard input to standard output.
 * @throws {Failure} where a mechanism is named that has no table, or a namespace that is not there
 */
export async function lookupStdin(
  native: Native,
  mechanism: string,
  netns: string | undefined,
  zone = 0,
): Promise<ExitCode> {
  requireTable(mechanism);
  const borrowed = new Borrowed(native);
  try {
    const namespace = netns === undefined ? null : borrowed.namespace(netns);
    process.stdin.setEncoding('utf8');
    return await lookupStream(native, process.stdin, process.stdout, { zone, netns: namespace });
  } catch (error) {
    throw error instanceof NamespaceError ? namespaceFailure(error) : error;
  } finally {
    borrowed.close();
  }
}

function requireTable(mechanism: string): void {
  if (mechanism === 'auto' || mechanism === 'netfilter') return;
  throw new Failure(
    ExitCode.notHere,
    `--stdin asks the conntrack table, which ${mechanism} does not keep`,
    'origdst lookup --stdin --mechanism netfilter',
  );
}
