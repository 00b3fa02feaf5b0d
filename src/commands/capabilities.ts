import { boolean, string } from '@oclif/core/flags';
import { catalogue } from '../../platforms/index.ts';
import { OrigdstCommand } from '../command.ts';
import { ExitCode } from '../exit-codes.ts';
import { survey } from '../matrix.ts';
import { loadNative } from '../native.ts';
import { renderJson } from '../render/json.ts';
import { checkRequirement, parseRequirement, type RequirementResult } from '../requirement.ts';

export default class Capabilities extends OrigdstCommand {
  static override summary = 'Show what transparent interception this host supports.';
  static override description =
    'Asks the kernel, per mechanism, operation, address family and protocol, without side effects. ' +
    'A row is identified as MECHANISM.OPERATION.FAMILY.PROTOCOL, e.g. netfilter.lookup.ipv4.tcp.';
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
    quiet: boolean({ char: 'q', description: 'Print nothing; the exit code tells.', exclusive: ['json'] }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Capabilities);
    const requirements = (flags.require ?? []).map(parseRequirement);
    const mechanisms = catalogue.filter(({ name }) => flags.mechanism?.includes(name) ?? true);
    const report = survey(loadNative(), mechanisms);
    const checked = requirements.map((requirement) => checkRequirement(requirement, report.results));
    process.exitCode = exitCode(checked);
    if (flags.quiet) return;
    if (flags.json) {
      renderJson(checked.length === 0 ? report : { ...report, requirements: checked }, this.output);
      return;
    }
    const { renderCapabilities } = await import('../render/capabilities-table.ts');
    renderCapabilities(report, mechanisms, checked, this.output);
  }
}

/** A requirement that is only forbidden to be looked into is "not permitted", not "no". */
function exitCode(checked: readonly RequirementResult[]): ExitCode {
  const unmet = checked.filter(({ met }) => !met);
  if (unmet.length === 0) return ExitCode.yes;
  return unmet.every(({ denied }) => denied) ? ExitCode.notPermitted : ExitCode.no;
}
