import { string } from '@oclif/core/flags';
import { OrigdstCommand } from '../../command.ts';
import { PF_SYSTEMS, type PfSystem, TARGETS, type Target } from '../../convert/conversion.ts';
import { convert } from '../../convert/convert.ts';
import { ExitCode } from '../../exit-codes.ts';
import { deviceFlag } from '../../generate/device.ts';
import { renderJson } from '../../render/json.ts';
import { FILE, readRules } from '../../translation/read.ts';

export default class RulesConvert extends OrigdstCommand {
  static override summary = 'Write the redirections of a translation file for a packet filter of today.';
  static override description =
    'What cannot be said there becomes a comment and a line on standard error, and the exit code is 3.';
  static override examples = [
    {
      description: 'For nft',
      command: '<%= config.bin %> <%= command.id %> translation --to nft > rules.nft',
    },
    {
      description: 'For iptables, into the kernel at once',
      command: '<%= config.bin %> <%= command.id %> translation --to iptables | iptables-restore --noflush',
    },
  ];
  static override args = { file: FILE };
  static override flags = {
    to: string({
      description: 'iptables is for iptables-restore --noflush, ipnat for IPFilter.',
      options: [...TARGETS],
      required: true,
    }),
    pf: string({ description: 'Whose pf.conf.', options: [...PF_SYSTEMS], default: 'freebsd' }),
    interface: deviceFlag('For rules that name no interface, where the target needs one.'),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(RulesConvert);
    const to = flags.to as Target;
    const options = { interface: flags.interface ?? null, pf: flags.pf as PfSystem };
    const { lines, problems } = convert(args.file, readRules(args.file), to, options);
    process.exitCode = problems.length > 0 ? ExitCode.no : ExitCode.yes;
    const text = `${lines.join('\n')}\n`;
    if (flags.json) {
      return renderJson(
        { schema: 'origdst.rules-convert/1', file: args.file, to, text, problems },
        this.output,
      );
    }
    this.output.write(text);
    for (const { rule, line, cause } of problems) {
      const what = rule === 0 ? `line ${line}` : `rule ${rule} (line ${line})`;
      process.stderr.write(`${this.config.bin} ${this.id}: ${what} is not converted: ${cause}\n`);
    }
  }
}
