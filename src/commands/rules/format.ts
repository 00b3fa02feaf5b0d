import { OrigdstCommand } from '../../command.ts';
import { renderJson } from '../../render/json.ts';
import { format } from '../../translation/format.ts';
import { shown } from '../../translation/lines.ts';
import { FILE, readRules } from '../../translation/read.ts';

export default class RulesFormat extends OrigdstCommand {
  static override summary = 'Print a translation file in one spelling, line by line.';
  static override description =
    'Nothing is moved, added or lost, and IPFIRE-wall’s loader makes the same of it: mending is for the commands that `rules check` gives.';
  static override examples = [
    {
      description: 'What would change',
      command: '<%= config.bin %> <%= command.id %> translation | diff translation -',
    },
  ];
  static override args = { file: FILE };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(RulesFormat);
    const bytes = readRules(args.file);
    const formatted = format(bytes);
    if (!flags.json) {
      process.stdout.write(Buffer.from(formatted, 'latin1'));
      return;
    }
    const lines = formatted
      .split('\n')
      .slice(0, formatted.endsWith('\n') ? -1 : undefined)
      .map(shown);
    const schema = 'origdst.rules-format/1';
    renderJson({ schema, file: args.file, changed: formatted !== bytes, lines }, this.output);
  }
}
