import { integer, string } from '@oclif/core/flags';
import { OrigdstCommand } from '../command.ts';
import { type Diagnosis, examine, type Problem } from '../diagnosis/doctor.ts';
import { SEVERITIES, type Severity } from '../diagnosis/finding.ts';
import { parseFlow, type Trace, type TraceFlow, traceFlow } from '../diagnosis/trace.ts';
import { parseEndpoint } from '../endpoint.ts';
import { ExitCode, Failure } from '../exit-codes.ts';
import { hostFacts } from '../host/context.ts';
import { closeNamespace, openNamespace } from '../host/namespaces.ts';
import { type Native, requireNative } from '../native.ts';
import { renderJson } from '../render/json.ts';
import type { Protocol } from '../verdict.ts';

/** The bounds of a trace. oclif counts a default as given, so that `dependsOn` forbids one at the flag. */
const TRACE_SECONDS = 10;
const TRACE_PACKETS = 4;

export default class Doctor extends OrigdstCommand {
  static override summary = 'Say why transparent interception does not work on this host, and what mends it.';
  static override description =
    'Reads rules, policy routes, kernel parameters and listeners, and changes nothing. The cause comes first; every ' +
    'problem has a stable id, what was read, and a command that mends it.';
  static override examples = [
    { description: 'Everything', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'Why does the proxy on port 3129 get no connections?',
      command: '<%= config.bin %> <%= command.id %> --port 3129',
    },
    {
      description: 'The same, for one client and one server',
      command:
        '<%= config.bin %> <%= command.id %> --port 3129 --source 192.168.0.3 --destination 203.0.113.80:80',
    },
    {
      description: 'Why is a connection from a client’s address not answered?',
      command: '<%= config.bin %> <%= command.id %> --source 192.168.0.3 --destination 203.0.113.80:80',
    },
    {
      description: 'See which rules the packets of a client meet (root)',
      command: "<%= config.bin %> <%= command.id %> --trace 'tcp 192.168.0.3:* 203.0.113.80:80'",
    },
  ];
  static override flags = {
    port: integer({
      description: 'Port of the proxy’s listener, or the port that clients connect to.',
      min: 1,
      max: 65535,
      helpValue: 'N',
    }),
    source: string({
      description: 'Address of a client; without --port, of a connection that is spoofed from it.',
      helpValue: 'ADDRESS',
    }),
    destination: string({ description: 'Where the client connects to.', helpValue: 'ADDRESS:PORT' }),
    protocol: string({ description: 'Transport protocol.', options: ['tcp', 'udp'], default: 'tcp' }),
    netns: string({
      description: 'Network namespace: a name of /run/netns, a path, or a process id.',
      helpValue: 'NS',
    }),
    trace: string({
      description:
        'Also show which rules the packets of a flow meet, by a trace table that is removed again.',
      helpValue: "'PROTOCOL ADDRESS:PORT ADDRESS:PORT'",
    }),
    seconds: integer({
      description: `How long to wait for packets to trace; by default ${TRACE_SECONDS}.`,
      min: 1,
      max: 3600,
      helpValue: 'N',
      dependsOn: ['trace'],
    }),
    packets: integer({
      description: `How many packets to trace; by default ${TRACE_PACKETS}.`,
      min: 1,
      max: 1000,
      helpValue: 'N',
      dependsOn: ['trace'],
    }),
    severity: string({
      description: 'Exit with 3 when a problem of this severity or a worse one stands.',
      options: [...SEVERITIES],
      default: 'error',
    }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Doctor);
    const host = hostFacts();
    if (host.os !== 'linux') {
      throw new Failure(
        ExitCode.notHere,
        `the checks are of Linux, and this is ${host.os}`,
        'origdst capabilities',
      );
    }
    const flow = flags.trace === undefined ? null : parseFlow(flags.trace);
    const native = requireNative();
    const diagnosis = examine(native, {
      port: flags.port,
      source: flags.source,
      destination: flags.destination === undefined ? undefined : parseEndpoint(flags.destination),
      protocol: flags.protocol as Protocol,
      netns: flags.netns,
    });
    const trace = flow === null ? null : await traced(native, flow, flags);
    process.exitCode = exitCode(diagnosis, flags.severity as Severity);
    if (process.exitCode === ExitCode.yes && trace?.packets.length === 0)
      process.exitCode = ExitCode.timedOut;
    if (flags.json) {
      renderJson({ schema: 'origdst.doctor/1', host, ...diagnosis, trace }, this.output);
      return;
    }
    const { renderDiagnosis } = await import('../render/diagnosis.ts');
    if (trace !== null) {
      const { renderTrace } = await import('../render/trace.ts');
      renderTrace(trace, this.output);
    }
    renderDiagnosis(diagnosis, this.output);
  }
}

/** Opt-in: it adds a table of its own to the rules for as long as it runs. */
async function traced(
  native: Native,
  flow: TraceFlow,
  {
    netns,
    seconds = TRACE_SECONDS,
    packets = TRACE_PACKETS,
  }: { netns?: string | undefined; seconds?: number | undefined; packets?: number | undefined },
): Promise<Trace> {
  const namespace = netns === undefined ? null : openNamespace(netns);
  try {
    return await traceFlow(native, namespace?.fd ?? null, flow, { seconds, packets });
  } finally {
    if (namespace !== null) closeNamespace(namespace);
  }
}

/** A problem is a no. Where none was found, but not all could be looked at, that is no yes either. */
function exitCode({ problems }: Diagnosis, threshold: Severity): ExitCode {
  const grave = (problem: Problem) => SEVERITIES.indexOf(problem.severity) <= SEVERITIES.indexOf(threshold);
  if (problems.some((problem) => problem.certainty === 'found' && grave(problem))) return ExitCode.no;
  const unknown = problems.filter(({ certainty }) => certainty === 'unknown');
  if (unknown.some(({ id }) => id === 'no-capability')) return ExitCode.notPermitted;
  return unknown.length > 0 ? ExitCode.notHere : ExitCode.yes;
}
