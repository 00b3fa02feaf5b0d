import { boolean, string } from '@oclif/core/flags';
import { OrigdstCommand } from '../../command.ts';
import { ExitCode, Failure } from '../../exit-codes.ts';
import { renderJson } from '../../render/json.ts';
import { type Explanation, explain, type Match, Undecided } from '../../translation/explain.ts';
import { type Flow, parseFlow } from '../../translation/flow.ts';
import { shown } from '../../translation/lines.ts';
import { load } from '../../translation/loader.ts';
import { readAddress } from '../../translation/numbers.ts';
import { FILE, readRules } from '../../translation/read.ts';
import { asRule } from '../../translation/rule.ts';

export default class RulesExplain extends OrigdstCommand {
  static override summary = 'Say which rule of a translation file takes a connection, and what it becomes.';
  static override description =
    'Compares the connection with the rules as IPFIRE-wall’s module does. Exits with 3 when no rule redirects it.';
  static override examples = [
    {
      description: 'A mail client of the network behind this host',
      command:
        "<%= config.bin %> <%= command.id %> translation --flow 'tcp 192.168.0.3:40000 193.70.192.70:110'",
    },
    {
      description: 'The same connection begun on this host itself',
      command:
        "<%= config.bin %> <%= command.id %> translation --local --flow 'tcp 192.168.0.1:40000 193.70.192.70:110'",
    },
  ];
  static override args = { file: FILE };
  static override flags = {
    flow: string({
      description: 'The connection: PROTOCOL CLIENT:PORT SERVER:PORT, as the client means it.',
      helpValue: 'FLOW',
      required: true,
    }),
    local: boolean({ description: 'This host begins it: OUTPUT rules see it, not PRE rules.' }),
    in: string({ description: 'Interface that it comes in by.', helpValue: 'NAME' }),
    out: string({ description: 'Interface that it leaves by.', helpValue: 'NAME' }),
    'own-address': string({
      description: 'This host’s address on that interface, for MYSRCADDR and MYDSTADDR.',
      helpValue: 'ADDRESS',
    }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(RulesExplain);
    const flow: Flow = {
      ...parseFlow(flags.flow),
      inDevice: flags.in ?? null,
      outDevice: flags.out ?? null,
      ownAddress: flags['own-address'] === undefined ? null : ownAddress(flags['own-address']),
    };
    const explanation = decide(readRules(args.file), flow, flags.local);
    process.exitCode = explanation.verdict === 'redirected' ? ExitCode.yes : ExitCode.no;
    if (flags.json) return renderJson(document(args.file, flags.flow, explanation), this.output);
    const { renderExplanation } = await import('../../render/rules-text.ts');
    renderExplanation(explanation, this.output);
  }
}

function decide(bytes: string, flow: Flow, local: boolean): Explanation {
  const loaded = load(bytes);
  try {
    return explain(loaded, loaded.rules.map(asRule), flow, local);
  } catch (error) {
    if (!(error instanceof Undecided)) throw error;
    throw new Failure(ExitCode.usage, `${error.message}: say with ${error.option} which it is`);
  }
}

function ownAddress(text: string): number {
  const address = readAddress(text);
  if (address === null) throw new SyntaxError(`--own-address '${text}' is not an IPv4 address`);
  return address;
}

function document(file: string, flow: string, { match, source, drops, ...rest }: Explanation): unknown {
  const schema = 'origdst.rules-explain/1';
  return { schema, file, flow, ...rest, match: named(match), source: named(source), drops: drops.map(named) };
}

function named(match: Match | null): unknown {
  if (match === null) return null;
  const { number, place, name } = match.rule.loaded;
  return { list: match.list, rule: number, line: place.line, name: name === null ? null : shown(name) };
}
