import { string as argument } from '@oclif/core/args';
import { integer, string } from '@oclif/core/flags';
import { OrigdstCommand } from '../command.ts';
import { parseEndpoint } from '../endpoint.ts';
import { ExitCode, Failure } from '../exit-codes.ts';
import { Borrowed } from '../flows/subject.ts';
import { NamespaceError, namespaceFailure } from '../host/namespaces.ts';
import { FOREIGN_ADDRESS } from '../host/socket-numbers.ts';
import { requireNative } from '../native.ts';
import { renderJson } from '../render/json.ts';
import { spoofConnect } from '../spoof/attempt.ts';
import { exitCode } from '../spoof/exit-code.ts';
import type { SpoofReport } from '../spoof/report.ts';
import { checkRequest, parseSource, type SpoofRequest } from '../spoof/request.ts';
import type { MechanismName, Protocol } from '../verdict.ts';

export default class SpoofConnect extends OrigdstCommand {
  static override summary =
    'Connect from an address that is not this host’s, and see whether the reply comes back.';
  static override description =
    'Reports each stage, and watches the wire: when there is no answer, says whether it came to this host, and what kept it from the socket.';
  static override examples = [
    {
      description: 'Can this gateway speak to a web server in a client’s name?',
      command: '<%= config.bin %> <%= command.id %> --source 192.0.2.2 198.51.100.2:80',
    },
    {
      description: 'The same with a conversation: mail from a given port',
      command:
        "<%= config.bin %> <%= command.id %> --source 192.0.2.2:4110 198.51.100.2:110 --expect '+OK' --timeout 10",
    },
    {
      description: 'IPv6 and UDP',
      command:
        '<%= config.bin %> <%= command.id %> --source 2001:db8:1::2 [2001:db8:2::2]:7 --protocol udp --send ping --expect ping',
    },
  ];
  static override args = {
    // A missing one would be read from standard input.
    target: argument({
      description: 'Where to connect to: ADDRESS:PORT or [IPV6]:PORT.',
      required: true,
      ignoreStdin: true,
    }),
  };
  static override flags = {
    source: string({
      description: 'Address to connect from, with the port if that matters.',
      helpValue: 'ADDRESS[:PORT]',
      required: true,
    }),
    protocol: string({ description: 'Transport protocol.', options: ['tcp', 'udp'], default: 'tcp' }),
    mechanism: string({
      description: 'How the foreign address is taken.',
      options: ['auto', 'tproxy4', 'tproxy2', 'bindany'],
      default: 'auto',
    }),
    send: string({ description: 'Send TEXT once connected.', helpValue: 'TEXT' }),
    expect: string({ description: 'Exit with 3 unless the target sends TEXT.', helpValue: 'TEXT' }),
    timeout: integer({
      description: 'Wait at most so many seconds for the answer.',
      min: 1,
      max: 3600,
      default: 5,
      helpValue: 'SECONDS',
    }),
    netns: string({
      description: 'Network namespace to connect from: a name of /run/netns, a path, or a process id.',
      helpValue: 'NS',
    }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(SpoofConnect);
    const request: SpoofRequest = {
      source: parseSource(flags.source),
      target: parseEndpoint(args.target),
      protocol: flags.protocol as Protocol,
      mechanism: flags.mechanism === 'auto' ? FOREIGN_ADDRESS : (flags.mechanism as MechanismName),
      send: flags.send ?? null,
      expect: flags.expect ?? null,
      timeoutMs: flags.timeout * 1000,
      netns: null,
    };
    checkRequest(request);
    const report = await attempt(request, flags.netns);
    process.exitCode = exitCode(report);
    if (flags.json) return renderJson(report, this.output);
    const { renderSpoof } = await import('../render/spoof-text.ts');
    renderSpoof(report, this.output);
  }
}

async function attempt(request: SpoofRequest, netns: string | undefined): Promise<SpoofReport> {
  const native = requireNative();
  if (!native.mechanisms().includes(request.mechanism)) {
    throw new Failure(
      ExitCode.notHere,
      `this host (${process.platform}) has no ${request.mechanism} to connect with`,
      'origdst capabilities',
    );
  }
  const borrowed = new Borrowed(native);
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());
  try {
    const namespace = netns === undefined ? null : borrowed.namespace(netns);
    return await spoofConnect(native, { ...request, netns: namespace }, interruption.signal);
  } catch (error) {
    if (interruption.signal.aborted) throw new Failure(ExitCode.interrupted, 'interrupted');
    if (error instanceof NamespaceError) throw namespaceFailure(error);
    throw error;
  } finally {
    borrowed.close();
  }
}
