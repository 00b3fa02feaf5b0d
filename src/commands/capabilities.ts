import { boolean, integer, string } from '@oclif/core/flags';
import { catalogue } from '../../platforms/index.ts';
import { OrigdstCommand } from '../command.ts';
import { ExitCode } from '../exit-codes.ts';
import { type CapabilityReport, survey } from '../matrix.ts';
import { loadNative, requireNative } from '../native.ts';
import type { ProveOptions, ProveResult } from '../prove.ts';
import { renderJson } from '../render/json.ts';
import { progressOn } from '../render/progress.ts';
import { checkRequirement, idPattern, parseRequirement, type RequirementResult } from '../requirement.ts';

export default class Capabilities extends OrigdstCommand {
  static override summary = 'Show what transparent interception this host supports.';
  static override description =
    'Asks the kernel, per mechanism, operation, address family and protocol, without side effects. ' +
    'With --prove it builds a private network out of namespaces and sends real packets through every mechanism ' +
    'and through its control, without touching this host’s firewall, routes or settings, and without root where user ' +
    'namespaces allow. A row is identified as MECHANISM.OPERATION.FAMILY.PROTOCOL, e.g. netfilter.lookup.ipv4.tcp.';
  static override examples = [
    { description: 'Everything, as a table', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'Stop a deployment unless IPv4 TPROXY listeners work',
      command: "<%= config.bin %> <%= command.id %> --require 'tproxy4.accept.ipv4.*'",
    },
    {
      description: 'One mechanism, for a script',
      command: '<%= config.bin %> <%= command.id %> --mechanism netfilter --json',
    },
  ];
  static override flags = {
    mechanism: string({
      description: 'Only this mechanism; may be given again.',
      multiple: true,
      multipleNonGreedy: true,
      options: catalogue.map(({ name }) => name),
    }),
    require: string({
      description:
        'Exit with 3 unless every row that ID names (* is a wildcard) has VERDICT, by default available.',
      helpValue: 'ID[=VERDICT]',
      multiple: true,
      multipleNonGreedy: true,
    }),
    prove: string({
      description:
        'Prove with real packets, in a private network. Without =ID everything; ID names a row or a proof (* is a wildcard).',
      helpValue: '[ID]',
    }),
    verbose: boolean({
      char: 'v',
      description: 'Show the network, rules, packets and steps of every proof.',
    }),
    'keep-lab': boolean({
      description:
        'Keep the labs until Ctrl-C (or Enter), and print the commands that enter them. Implies --verbose.',
    }),
    inside: integer({ hidden: true, min: 1 }),
    quiet: boolean({ char: 'q', description: 'Print nothing; the exit code tells.', exclusive: ['json'] }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Capabilities, this.argv.map(spellProve));
    if (flags.inside !== undefined) return answer(flags.inside);
    const requirements = (flags.require ?? []).map(parseRequirement);
    const mechanisms = catalogue.filter(({ name }) => flags.mechanism?.includes(name) ?? true);
    const surveyed = survey(loadNative(), mechanisms);
    const keep = flags['keep-lab'];
    if (flags.prove === undefined && (keep || flags.verbose)) {
      throw new SyntaxError(
        `${keep ? '--keep-lab' : '--verbose'} shows proofs, and there are none without --prove`,
      );
    }
    const watch = keep || flags.verbose;
    const proven =
      flags.prove === undefined
        ? null
        : await proveAll(surveyed, { pattern: idPattern(flags.prove), keep, watch });
    const report = proven?.report ?? surveyed;
    const checked = requirements.map((requirement) => checkRequirement(requirement, report.results));
    process.exitCode = requirements.length === 0 && proven !== null ? proofCode(proven) : exitCode(checked);
    if (flags.json)
      renderJson(checked.length === 0 ? report : { ...report, requirements: checked }, this.output);
    else if (!flags.quiet) {
      const { renderCapabilities } = await import('../render/capabilities-table.ts');
      renderCapabilities(report, mechanisms, checked, this.output, watch);
    }
    if (keep && proven?.report.proof.where) await dismissal();
    proven?.end();
  }
}

/** `--prove` alone means everything; oclif knows no flag whose value may be left out. */
function spellProve(word: string): string {
  return word === '--prove' ? '--prove=*' : word;
}

async function proveAll(
  report: CapabilityReport,
  options: Omit<ProveOptions, 'onProgress'>,
): Promise<ProveResult> {
  const { prove } = await import('../prove.ts');
  const progress = progressOn(process.stderr);
  try {
    return await prove(report, {
      ...options,
      onProgress: (done, total, { id }) => progress.show(`proving ${done + 1} of ${total}: ${id}`),
    });
  } finally {
    progress.clear();
  }
}

/** The same command, as root of a user namespace: src/lab/unprivileged.ts. */
async function answer(outer: number): Promise<void> {
  const [{ answerInside }, { proveInside }] = await Promise.all([
    import('../lab/unprivileged.ts'),
    import('../prove.ts'),
  ]);
  const progress = progressOn(process.stderr);
  const native = requireNative();
  await answerInside(native, outer, (options) =>
    proveInside(native, options, (done, total, { id }) =>
      progress.show(`proving ${done + 1} of ${total}: ${id}`),
    ),
  );
}

/** Ctrl-C, or Enter on a terminal. */
async function dismissal(): Promise<void> {
  const { stdin } = process;
  const words = stdin.isTTY ? 'Enter or Ctrl-C' : 'Ctrl-C (SIGINT, SIGTERM)';
  process.stderr.write(`The labs are kept until ${words}.\n`);
  await new Promise<void>((resolve) => {
    const alive = setInterval(() => {}, 1 << 30);
    const end = () => {
      clearInterval(alive);
      stdin.pause();
      resolve();
    };
    process.once('SIGINT', end).once('SIGTERM', end);
    if (stdin.isTTY) stdin.once('data', end);
  });
}

/** No is an answer, but not being allowed to try, or having nothing to try with, is none. */
function proofCode({ report: { proof } }: ProveResult): ExitCode {
  if (proof.refusal === null) {
    return proof.proofs.some(({ verdict }) => verdict === 'broken') ? ExitCode.no : ExitCode.yes;
  }
  return ['no-rule-tool', 'no-ip', 'native-missing', 'nothing-to-prove', 'no-user-namespaces'].includes(
    proof.refusal.reason,
  )
    ? ExitCode.notHere
    : ExitCode.notPermitted;
}

/** A requirement that is only forbidden to be looked into is "not permitted", not "no". */
function exitCode(checked: readonly RequirementResult[]): ExitCode {
  const unmet = checked.filter(({ met }) => !met);
  if (unmet.length === 0) return ExitCode.yes;
  return unmet.every(({ denied }) => denied) ? ExitCode.notPermitted : ExitCode.no;
}
