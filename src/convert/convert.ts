/** A translation file for today’s packet filters. What cannot be said there is an error, and never left out. */

import { load } from '../translation/loader.ts';
import type { Rule } from '../translation/rule.ts';
import { asRule } from '../translation/rule.ts';
import { type Conversion, type ConvertOptions, heading, lostRules, type Target } from './conversion.ts';
import { writeIpfw } from './ipfw.ts';
import { writeIpnat } from './ipnat.ts';
import { writeIptables } from './iptables.ts';
import { writeNft } from './nft.ts';
import { writePf } from './pf.ts';

const WRITERS: Record<Target, (rules: readonly Rule[], into: Conversion, options: ConvertOptions) => void> = {
  nft: writeNft,
  iptables: writeIptables,
  pf: writePf,
  ipfw: writeIpfw,
  ipnat: writeIpnat,
};

/** @param bytes one character a byte (latin1) */
export function convert(file: string, bytes: string, to: Target, options: ConvertOptions): Conversion {
  const loaded = load(bytes);
  const rules = loaded.rules.map(asRule);
  const into: Conversion = { lines: heading(loaded, rules, file), problems: lostRules(loaded, rules) };
  for (const { rule, line, cause } of into.problems) {
    into.lines.push(`# NOT CONVERTED: ${rule === 0 ? 'line' : `Rule ${rule}, line`} ${line}: ${cause}.`);
  }
  if (rules.some(({ list }) => list === 'output') && to !== 'pf' && to !== 'ipnat') {
    into.lines.push(
      '# OUTPUT: the module asks its permission rules first and does not route the packet again; here it is routed.',
    );
  }
  // post_snat_dynamic in kernel/ipfi_translation.c; whether an address is this host’s cannot be told from the file.
  if (rules.some(({ list, newAddress }) => list === 'pre' && newAddress !== null)) {
    into.lines.push(
      '# Where a NEWADDR is another machine’s, the module also gave the packet a source address of its own, unless the',
      '# client’s was public and NEWADDR private. Here the source stays: such a machine must answer through this host.',
    );
  }
  WRITERS[to](rules, into, options);
  into.problems.sort((a, b) => a.line - b.line);
  return into;
}
