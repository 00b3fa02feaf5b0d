import { readFileSync } from 'node:fs';
import { boolean, integer, string } from '@oclif/core/flags';
import { OrigdstCommand } from '../../command.ts';
import { PF_SYSTEMS, type PfSystem } from '../../convert/conversion.ts';
import { ExitCode, Failure } from '../../exit-codes.ts';
import { bsdSet, familyOf } from '../../generate/bsd.ts';
import { deviceFlag } from '../../generate/device.ts';
import { linuxSet } from '../../generate/linux.ts';
import { MECHANISMS, parseTarget, type Scenario, TOOLS, type Tool } from '../../generate/scenario.ts';
import { renderJson } from '../../render/json.ts';
import type { Family, Protocol } from '../../verdict.ts';

export default class RulesGenerate extends OrigdstCommand {
  static override summary =
    'Print all that a host needs for an interception: rules, routes, kernel parameters.';
  static override description =
    'Prints a shell script, and changes nothing itself. With --undo, the script that takes it back: print that one first, because it holds the kernel parameters as they are now.';
  static override examples = [
    {
      description: 'POP3 through a transparent proxy on port 8110',
      command: '<%= config.bin %> <%= command.id %> --mechanism tproxy4 --port 110 --to 8110',
    },
    {
      description: 'Web traffic from one interface, by iptables, IPv4 only',
      command:
        '<%= config.bin %> <%= command.id %> --mechanism netfilter --tool iptables --family 4 --interface eth1 --port 80 --port 8080 --to 3129',
    },
    {
      description: 'What takes it back',
      command: '<%= config.bin %> <%= command.id %> --mechanism tproxy4 --port 110 --to 8110 --undo',
    },
  ];
  static override flags = {
    mechanism: string({ description: 'How to intercept.', options: [...MECHANISMS], required: true }),
    port: integer({
      description: 'Port that clients call; may be given again.',
      min: 1,
      max: 65535,
      multiple: true,
      multipleNonGreedy: true,
      required: true,
      helpValue: 'N',
    }),
    to: string({ description: 'Where the proxy listens.', helpValue: '[ADDRESS:]PORT', required: true }),
    protocol: string({ description: 'Transport protocol.', options: ['tcp', 'udp'], default: 'tcp' }),
    family: string({ description: 'Only IPv4 or only IPv6.', options: ['4', '6'] }),
    interface: deviceFlag('Only from clients that come in by this interface.'),
    tool: string({ description: 'Linux: what loads the rules.', options: [...TOOLS], default: 'nft' }),
    pf: string({ description: 'Whose pf.conf.', options: [...PF_SYSTEMS], default: 'freebsd' }),
    undo: boolean({ description: 'Print the commands that take it back.' }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(RulesGenerate);
    const to = parseTarget(flags.to);
    const mechanism = flags.mechanism as Scenario['mechanism'];
    const scenario: Scenario = {
      mechanism,
      tool: flags.tool as Tool,
      protocol: flags.protocol as Protocol,
      families: families(flags.family, familyOf(to), mechanism),
      ports: [...new Set(flags.port)],
      to,
      interface: flags.interface ?? null,
    };
    const linux = mechanism === 'netfilter' || mechanism === 'tproxy4';
    const set = linux ? linuxSet(scenario, readSysctl) : bsdSet(scenario, flags.pf as PfSystem);
    if (flags.json) return renderJson({ schema: 'origdst.rules-generate/1', mechanism, ...set }, this.output);
    const { renderSet } = await import('../../render/rules-text.ts');
    renderSet(set, flags.undo, this.output);
  }
}

/** Without a word both, where the mechanism's working set has both. */
function families(
  asked: string | undefined,
  fixed: Family | null,
  mechanism: Scenario['mechanism'],
): Family[] {
  if (asked !== undefined && fixed !== null && Number(asked) !== fixed) {
    throw new Failure(
      ExitCode.usage,
      `--family ${asked} and an IPv${fixed} address in --to do not go together`,
    );
  }
  if (asked !== undefined) return [asked === '4' ? 4 : 6];
  if (fixed !== null) return [fixed];
  return ['ipfw', 'ipfilter', 'npf'].includes(mechanism) ? [4] : [4, 6];
}

function readSysctl(name: string): string | null {
  // In a name a slash stands for a dot, and a dot for a slash: sysctl(8).
  const path = name.replace(/[./]/g, (character) => (character === '.' ? '/' : '.'));
  try {
    return readFileSync(`/proc/sys/${path}`, 'utf8').trim();
  } catch {
    return null;
  }
}
