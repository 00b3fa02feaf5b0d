import { OrigdstCommand } from '../../command.ts';
import { ExitCode } from '../../exit-codes.ts';
import { renderJson } from '../../render/json.ts';
import { check } from '../../translation/check.ts';
import { FILE, readRules } from '../../translation/read.ts';

export default class RulesCheck extends OrigdstCommand {
  static override summary =
    'Check a translation file of IPFIRE-wall: what its loader would do, and what surprises.';
  static override description =
    'Reads the whole grammar and reports, with line numbers, what the original loader and module would make of the file. Exits with 3 when there are errors.';
  static override examples = [
    { description: 'A file', command: '<%= config.bin %> <%= command.id %> /etc/ipfire/translation' },
    { description: 'For a script', command: '<%= config.bin %> <%= command.id %> --json translation' },
  ];
  static override args = { file: FILE };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(RulesCheck);
    const report = check(args.file, readRules(args.file));
    process.exitCode = report.summary.errors > 0 ? ExitCode.no : ExitCode.yes;
    if (flags.json) return renderJson({ schema: 'origdst.rules-check/1', ...report }, this.output);
    const { renderCheck } = await import('../../render/rules-text.ts');
    renderCheck(report, this.output);
  }
}
