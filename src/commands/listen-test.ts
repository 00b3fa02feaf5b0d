import { boolean, integer, string } from '@oclif/core/flags';
import { catalogue } from '../../platforms/index.ts';
import { OrigdstCommand } from '../command.ts';
import { parseEndpoint } from '../endpoint.ts';
import { ExitCode, Failure } from '../exit-codes.ts';
import type { Handling, ListenRequest, Observer } from '../listen/arrival.ts';
import { listenTest } from '../listen/session.ts';
import { exitCode } from '../listen/tally.ts';
import { requireNative } from '../native.ts';
import { live } from '../render/live-output.ts';
import type { Protocol } from '../verdict.ts';

export default class ListenTest extends OrigdstCommand {
  static override summary = 'Listen, and show what is redirected here and where it was meant to go.';
  static override description =
    'Prints a line for each connection as it comes, and a summary at the end. When nothing comes in time, says why.';
  static override examples = [
    {
      description: 'Does the redirection of port 80 to port 3129 work?',
      command: '<%= config.bin %> <%= command.id %> --port 3129 --count 1 --timeout 30',
    },
    {
      description: 'The same for a script: anything but this destination is exit 3',
      command:
        '<%= config.bin %> <%= command.id %> --port 3129 --count 1 --timeout 30 --expect 198.51.100.2:80 --jsonl',
    },
    {
      description: 'Carry mail on to the servers that the clients meant, in the clients’ names',
      command: '<%= config.bin %> <%= command.id %> --port 8110 --relay --spoof',
    },
  ];
  static override flags = {
    port: integer({
      char: 'p',
      description: 'Port to listen on; 0 takes a free one.',
      required: true,
      min: 0,
      max: 65535,
      helpValue: 'N',
    }),
    address: string({
      description: 'Address of this host to listen on; all of IPv6 and IPv4 unless given.',
      helpValue: 'ADDRESS',
    }),
    protocol: string({ description: 'Transport protocol.', options: ['tcp', 'udp'], default: 'tcp' }),
    mechanism: string({
      description: 'Recognise only what this mechanism redirects.',
      options: [
        'auto',
        ...catalogue.filter(({ concludeLookup }) => concludeLookup !== undefined).map(({ name }) => name),
      ],
      default: 'auto',
    }),
    count: integer({ description: 'Stop after N connections.', min: 1, helpValue: 'N' }),
    timeout: integer({
      description: 'Stop after so many seconds.',
      min: 1,
      max: 86_400,
      helpValue: 'SECONDS',
    }),
    expect: string({
      description: 'Exit with 3 when a connection was meant for another destination; may be given again.',
      helpValue: 'ADDRESS:PORT',
      multiple: true,
      multipleNonGreedy: true,
    }),
    reply: string({
      description: 'Answer every connection with TEXT, and close it.',
      helpValue: 'TEXT',
      exclusive: ['relay'],
    }),
    relay: boolean({ description: 'Carry every connection on to its original destination.' }),
    spoof: boolean({ description: 'With --relay: connect from the client’s address.', dependsOn: ['relay'] }),
    jsonl: boolean({
      description: 'Print a JSON object for each event, as it happens.',
      exclusive: ['json'],
    }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(ListenTest);
    const expect = (flags.expect ?? []).map(parseEndpoint);
    const handling: Handling = flags.relay
      ? { kind: 'relay', spoof: flags.spoof }
      : flags.reply === undefined
        ? { kind: 'hold' }
        : { kind: 'reply', text: flags.reply };
    if (flags.address === '') throw new Failure(ExitCode.usage, '--address is empty');
    const request: ListenRequest = {
      address: flags.address ?? null,
      port: flags.port,
      protocol: flags.protocol as Protocol,
      mechanism: flags.mechanism,
      count: flags.count ?? null,
      timeout: flags.timeout ?? null,
      expect,
      handling,
    };
    const interruption = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());
    const observer = await this.#observer(flags);
    const summary = await listenTest(requireNative(), request, observer, interruption.signal);
    process.exitCode = exitCode(summary, request.count);
  }

  async #observer(flags: { json: boolean; jsonl: boolean }): Promise<Observer> {
    if (flags.json || flags.jsonl) {
      const { ListenDocument, ListenLines } = await import('../render/listen-json.ts');
      return flags.json ? new ListenDocument(this.output) : new ListenLines(live(this.output));
    }
    const { ListenText } = await import('../render/listen-text.ts');
    return new ListenText(live(this.output));
  }
}
