/** Reads what `nft monitor trace` prints: one packet’s way through the rules, a line a station. */

/** A rule that matched, or the end of a chain. */
export interface Station {
  family: string;
  table: string;
  chain: string;
  kind: 'rule' | 'verdict' | 'policy';
  /** The rule’s own words; null where no rule decided. */
  rule: string | null;
  verdict: string;
}

export interface TracedPacket {
  id: string;
  /** As nft describes it on its first chain. */
  packet: string;
  stations: Station[];
}

/** Packets in the order in which they were first seen, without the stations of the trace’s own table. */
export class TraceReport {
  readonly #packets = new Map<string, TracedPacket>();
  readonly #own: string;

  constructor(ownTable: string) {
    this.#own = ownTable;
  }

  get packets(): TracedPacket[] {
    return [...this.#packets.values()];
  }

  add(line: string): void {
    const head = /^trace id ([0-9a-f]+) (\S+) (\S+) (\S+) (packet:|rule|verdict|policy) (.*?)\s*$/.exec(line);
    if (head === null) return;
    const [, id = '', family = '', table = '', chain = '', kind = '', rest = ''] = head;
    let packet = this.#packets.get(id);
    if (packet === undefined) {
      packet = { id, packet: '', stations: [] };
      this.#packets.set(id, packet);
    }
    if (kind === 'packet:') {
      if (packet.packet === '') packet.packet = rest;
    } else if (table !== this.#own) {
      packet.stations.push({ family, table, chain, ...decision(kind as Station['kind'], rest) });
    }
  }
}

/** `tcp dport 80 redirect to :81 (verdict accept)`; `continue`; `drop`. */
function decision(kind: Station['kind'], rest: string): Pick<Station, 'kind' | 'rule' | 'verdict'> {
  if (kind !== 'rule') return { kind, rule: null, verdict: rest };
  const [, rule = rest, verdict = ''] = /^(.*) \(verdict (.*)\)$/.exec(rest) ?? [];
  return { kind, rule, verdict };
}
