import { boolean, integer, string } from '@oclif/core/flags';
import { catalogue } from '../../platforms/index.ts';
import { OrigdstCommand } from '../command.ts';
import { parseEndpoint } from '../endpoint.ts';
import { ExitCode, Failure } from '../exit-codes.ts';
import type { LookupResult } from '../inquiry.ts';
import { type LookupRequest, lookup } from '../lookup.ts';
import { requireNative } from '../native.ts';
import { renderJson } from '../render/json.ts';
import type { LookupVerdict, Protocol } from '../verdict.ts';

/** The ways of naming a connection, of which one is needed. */
const WAYS = ['fd', 'pid', 'process', 'port', 'peer'] as const;

const WITH_LOOKUP = catalogue
  .filter(({ questions }) => questions.some(({ operation }) => operation === 'lookup'))
  .map(({ name }) => name);

export default class Lookup extends OrigdstCommand {
  static override summary = 'Show the original destination of a connection that was redirected to this host.';
  static override description =
    'Name the connection by a descriptor of this process, by another process, by the port of a listener, or by its two addresses.';
  static override examples = [
    {
      description: 'Every connection that Squid has accepted',
      command: '<%= config.bin %> <%= command.id %> --process squid',
    },
    {
      description: 'Every connection of the listener on port 3129',
      command: '<%= config.bin %> <%= command.id %> --port 3129',
    },
    {
      description: 'One connection by its addresses, out of the kernel’s table (root)',
      command: '<%= config.bin %> <%= command.id %> --peer 192.168.0.3:40112 --local 192.168.0.1:8110',
    },
    {
      description: 'As many connections as there are lines, answered in order as JSON lines (root)',
      command: "echo 'tcp 192.168.0.3:40112 192.168.0.1:8110' | <%= config.bin %> <%= command.id %> --stdin",
    },
    {
      description: 'Started by inetd: just the address',
      command: '<%= config.bin %> <%= command.id %> --fd 0 --quiet',
    },
  ];
  static override flags = {
    fd: integer({
      description: 'Descriptor of this process, or with --pid of that one.',
      min: 0,
      helpValue: 'N',
    }),
    pid: integer({ description: 'Connections of this process.', min: 1, helpValue: 'PID' }),
    process: string({ description: 'Connections of the processes with this name.', helpValue: 'NAME' }),
    port: integer({ description: 'Connections accepted on this port.', min: 1, max: 65535, helpValue: 'N' }),
    peer: string({
      description: 'The client’s address as this host sees it.',
      helpValue: 'ADDRESS:PORT',
      dependsOn: ['local'],
    }),
    local: string({
      description: 'The local address of the connection.',
      helpValue: 'ADDRESS:PORT',
      dependsOn: ['peer'],
    }),
    stdin: boolean({
      description:
        'Read connections as lines of PROTOCOL PEER LOCAL [ZONE] or of JSON; answer in JSON lines.',
      exclusive: [...WAYS, 'local', 'json', 'quiet'],
    }),
    protocol: string({ description: 'Transport protocol.', options: ['tcp', 'udp'], default: 'tcp' }),
    netns: string({
      description: 'Network namespace: a name of /run/netns, a path, or a process id.',
      helpValue: 'NS',
    }),
    zone: integer({
      description: 'Conntrack zone.',
      min: 0,
      max: 65535,
      helpValue: 'N',
    }),
    mechanism: string({
      description: 'Ask only this mechanism.',
      options: ['auto', ...WITH_LOOKUP],
      default: 'auto',
    }),
    'allow-unsafe': boolean({
      description: 'Ask IPFilter of FreeBSD with SIOCGNATL, which is known to panic the kernel.',
      default: false,
    }),
    quiet: boolean({ char: 'q', description: 'Print ADDRESS:PORT and nothing else.', exclusive: ['json'] }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Lookup);
    if (flags.stdin) {
      const { lookupStdin } = await import('../stdin/lookup.ts');
      process.exitCode = await lookupStdin(requireNative(), flags.mechanism, flags.netns, flags.zone);
      return;
    }
    const results = lookup(requireNative(), request(flags), flags.mechanism, flags['allow-unsafe']);
    process.exitCode = exitCode(results);
    if (flags.quiet) {
      for (const { original } of results) if (original !== null) this.output.write(`${quiet(original)}\n`);
    } else if (flags.json) {
      renderJson({ schema: 'origdst.lookup/1', results }, this.output);
    } else if (results.length === 0) {
      process.stderr.write('origdst lookup: no connection is open there\n');
    } else {
      const { renderLookup } = await import('../render/lookup-table.ts');
      renderLookup(results, this.output);
    }
  }
}

interface Flags {
  fd?: number | undefined;
  pid?: number | undefined;
  process?: string | undefined;
  port?: number | undefined;
  peer?: string | undefined;
  local?: string | undefined;
  protocol: string;
  netns?: string | undefined;
  zone?: number | undefined;
}

/** @throws {Failure} (usage) unless exactly one way of naming a connection was taken. */
function request(flags: Flags): LookupRequest {
  const named = WAYS.filter((way) => flags[way] !== undefined && !(way === 'fd' && flags.pid !== undefined));
  if (named.length !== 1) {
    const said =
      named.length === 0 ? 'no connection is named' : `--${named.join(' and --')} do not go together`;
    throw new Failure(
      ExitCode.usage,
      `${said}: give one of --fd, --pid [--fd], --process, --port, --peer with --local, --stdin`,
    );
  }
  if (flags.netns !== undefined && flags.port === undefined && flags.peer === undefined) {
    throw new Failure(
      ExitCode.usage,
      '--netns goes with --port or with --peer and --local: a process has a namespace of its own',
    );
  }
  if (flags.zone !== undefined && flags.peer === undefined) {
    throw new Failure(ExitCode.usage, '--zone goes with --peer and --local, or with --stdin');
  }
  const protocol = flags.protocol as Protocol;
  const netns = flags.netns ?? null;
  if (flags.peer !== undefined) {
    const [peer, local] = [parseEndpoint(flags.peer), parseEndpoint(flags.local ?? '')];
    if (peer.family !== local.family) {
      throw new Failure(ExitCode.usage, '--peer and --local are addresses of different families');
    }
    return { way: 'tuple', peer, local, protocol, netns, zone: flags.zone ?? 0 };
  }
  if (flags.port !== undefined) return { way: 'port', port: flags.port, protocol, netns };
  if (flags.process !== undefined) return { way: 'process', name: flags.process, protocol };
  if (flags.pid !== undefined) return { way: 'pid', pid: flags.pid, fd: flags.fd ?? null, protocol };
  return { way: 'fd', fd: flags.fd ?? 0 };
}

const CODES: Record<LookupVerdict, ExitCode> = {
  translated: ExitCode.yes,
  inferred: ExitCode.yes,
  untranslated: ExitCode.no,
  reversed: ExitCode.no,
  'no-entry': ExitCode.no,
  denied: ExitCode.notPermitted,
  unsupported: ExitCode.notHere,
  failed: ExitCode.internal,
};

/** Found for any connection is yes; else what was forbidden or failed comes before a plain no. */
function exitCode(results: readonly LookupResult[]): ExitCode {
  const codes = results.map(({ verdict }) => CODES[verdict]);
  const order = [ExitCode.yes, ExitCode.notPermitted, ExitCode.internal, ExitCode.no, ExitCode.notHere];
  return order.find((code) => codes.includes(code)) ?? ExitCode.no;
}

function quiet({ address, port }: { address: string; port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
