import { boolean, integer, string } from '@oclif/core/flags';
import { OrigdstCommand } from '../command.ts';
import { ExitCode, Failure } from '../exit-codes.ts';
import { Borrowed } from '../flows/subject.ts';
import { NamespaceError, namespaceFailure } from '../host/namespaces.ts';
import { type Native, requireNative } from '../native.ts';
import type { FlowsOut } from '../render/flows-out.ts';
import type { FlowFilter } from '../table/filter.ts';
import { parsePlace } from '../table/place.ts';
import { protocolNumber } from '../table/record.ts';
import type { Step } from '../verdict.ts';

/** As large as it may be without CAP_NET_ADMIN would lose events at a few thousand a second. */
const EVENT_BUFFER = 32 << 20;

export default class Flows extends OrigdstCommand {
  static override summary =
    'List the translated connections of this host, each with its original destination.';
  static override description =
    'Reads the whole conntrack table, and the sockets that TPROXY gave away. Needs CAP_NET_ADMIN.';
  static override examples = [
    {
      description: 'What the proxy on port 3129 is given',
      command: '<%= config.bin %> <%= command.id %> --port 3129',
    },
    {
      description: 'Who talks to a network through this host, as it happens',
      command: '<%= config.bin %> <%= command.id %> --original 203.0.113.0/24 --watch',
    },
    {
      description: 'How many connections are translated in a container’s namespace',
      command: '<%= config.bin %> <%= command.id %> --count --netns 4711',
    },
  ];
  static override flags = {
    port: integer({
      description: 'This host’s port: the proxy’s.',
      min: 1,
      max: 65535,
      helpValue: 'N',
    }),
    peer: string({ description: 'The client: ADDRESS[/LENGTH][:PORT].', helpValue: 'PLACE' }),
    original: string({
      description: 'Where the client meant to go: ADDRESS[/LENGTH][:PORT].',
      helpValue: 'PLACE',
    }),
    protocol: string({ description: 'Transport protocol: tcp, udp, icmp, sctp, …, or its number.' }),
    zone: integer({ description: 'Conntrack zone.', min: 0, max: 65535, helpValue: 'N' }),
    mechanism: string({
      description: 'Only what this mechanism did.',
      options: ['auto', 'netfilter', 'tproxy4'],
      default: 'auto',
    }),
    netns: string({
      description: 'Network namespace: a name of /run/netns, a path, or a process id.',
      helpValue: 'NS',
    }),
    all: boolean({ description: 'Also connections that are tracked and not translated.' }),
    count: boolean({ description: 'Print only how many there are.', exclusive: ['jsonl', 'watch'] }),
    jsonl: boolean({ description: 'One JSON object a line.', exclusive: ['json'] }),
    watch: boolean({
      description: 'Follow new and ended connections until interrupted.',
      exclusive: ['json'],
    }),
    buffer: integer({
      description:
        'With --watch, bytes that the kernel may hold back for this command before events are lost.',
      min: 4096,
      max: 1 << 30,
      default: EVENT_BUFFER,
      helpValue: 'BYTES',
    }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Flows);
    const filter = toFilter(flags);
    if (flags.watch && flags.mechanism === 'tproxy4') {
      throw new Failure(
        ExitCode.usage,
        '--watch follows the conntrack table, and TPROXY leaves nothing in it that tells its connections apart',
        'origdst flows --mechanism tproxy4   # what is there now',
      );
    }
    const native = requireNative();
    const borrowed = new Borrowed(native);
    try {
      const netns = flags.netns === undefined ? null : borrowed.namespace(flags.netns);
      process.exitCode = flags.watch
        ? await watch(native, filter, netns?.fd ?? null, flags)
        : await list(native, filter, netns, flags);
    } catch (error) {
      throw error instanceof NamespaceError ? namespaceFailure(error) : error;
    } finally {
      borrowed.close();
    }
  }
}

interface Form {
  json: boolean;
  jsonl: boolean;
  count: boolean;
  mechanism: string;
  buffer: number;
}

interface Flags {
  port?: number | undefined;
  peer?: string | undefined;
  original?: string | undefined;
  protocol?: string | undefined;
  zone?: number | undefined;
  all: boolean;
}

/** @throws {Failure | SyntaxError} (usage) */
function toFilter(flags: Flags): FlowFilter {
  const protocol = flags.protocol === undefined ? null : protocolNumber(flags.protocol);
  if (protocol === null && flags.protocol !== undefined) {
    throw new Failure(
      ExitCode.usage,
      `'${flags.protocol}' is no protocol: tcp, udp, icmp, sctp, … or a number`,
    );
  }
  return {
    all: flags.all,
    port: flags.port ?? null,
    peer: flags.peer === undefined ? null : parsePlace(flags.peer),
    original: flags.original === undefined ? null : parsePlace(flags.original),
    protocol,
    zone: flags.zone ?? null,
  };
}

async function list(
  native: Native,
  filter: FlowFilter,
  netns: { fd: number } | null,
  form: Form,
): Promise<ExitCode> {
  const [{ Columns, Count, JsonDocument, JsonLines }, { selectFlows }] = await Promise.all([
    import('../render/flows-out.ts'),
    import('../table/select.ts'),
  ]);
  const { stdout } = process;
  const out: FlowsOut = form.count
    ? new Count(stdout, form.json)
    : form.json
      ? new JsonDocument(stdout)
      : form.jsonl
        ? new JsonLines(stdout)
        : new Columns(stdout);
  const evidence: Step[] = [];
  let found = 0;
  if (form.mechanism !== 'tproxy4') {
    for await (const part of selectFlows(native, filter, netns?.fd ?? null, evidence)) {
      found += part.count;
      await out.selected(part);
    }
  }
  if (form.mechanism !== 'netfilter') {
    const { transparentFlows } = await import('../table/transparent.ts');
    const flows = transparentFlows(native, filter, netns?.fd ?? null, evidence);
    found += flows.length;
    await out.others(flows);
  }
  await out.end(evidence);
  if (found === 0 && !form.json && !form.jsonl && !form.count) {
    process.stderr.write(`origdst flows: no ${filter.all ? 'tracked' : 'translated'} connection is there\n`);
  }
  return found > 0 ? ExitCode.yes : ExitCode.no;
}

async function watch(
  native: Native,
  filter: FlowFilter,
  netns: number | null,
  form: Form,
): Promise<ExitCode> {
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());
  const [{ follow }, { FlowLines, FlowScreen }] = await Promise.all([
    import('../table/follow.ts'),
    import('../render/flows-watch.ts'),
  ]);
  const screen = process.stdout.isTTY && !form.jsonl;
  const view = screen ? new FlowScreen(process.stdout) : new FlowLines(process.stdout, form.jsonl);
  const { signal } = interruption;
  for await (const news of follow(native, { filter, netns, buffer: form.buffer, signal }))
    await view.show(news);
  view.end();
  return ExitCode.interrupted;
}
