/**
 * Writes the cases.json of the BSD mechanisms and platforms/abi/<os>/recorded.c out of recordings of real kernels.
 *
 *   node scripts/bsd-cases/derive.ts FOLDER-OF-RECORDINGS
 *
 * The recordings are not part of the repository; what is derived from them is, with the name of the step that every
 * call comes from and a sentence wherever a byte is not as it was recorded.
 */

import { writeFileSync } from 'node:fs';
import { writeAssertions } from './assertions.ts';
import { geniterCases, natlookupCases } from './ipfilter.ts';
import { npfCases } from './npf.ts';
import { pfCases } from './pf.ts';
import { type CaseSet, Source } from './recording.ts';
import { bindanyCases, divertProbes, ipfwProbes, leaveMessages, socketNameCases } from './sockets.ts';

const FREEBSD = 'freebsd-12.1';
const OPENBSD = 'openbsd-7.6';
const NETBSD = 'netbsd-10.99.12';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: node scripts/bsd-cases/derive.ts FOLDER-OF-RECORDINGS\n');
  process.exit(2);
}

const recording = (file: string) => new Source(folder, file);

write(
  'bsd/pf',
  'pf',
  [FREEBSD, NETBSD]
    .map((os) => derive(`${os}/pf-rdr`, pfCases))
    .concat(['pf-rdr-to', 'pf-rdr-to-fixed-kernel'].map((name) => derive(`${OPENBSD}/${name}`, pfCases))),
);
write(
  'bsd/bindany',
  'bindany',
  [`${FREEBSD}/ip-bindany`, `${NETBSD}/ip-bindany`, `${OPENBSD}/so-bindany`].map((file) =>
    derive(file, bindanyCases),
  ),
);
write('bsd/ipfilter', 'ipfilter', [
  derive(`${NETBSD}/ipfilter`, (source) => natlookupCases(source, false)),
  derive(`${FREEBSD}/ipfilter-geniter`, geniterCases),
  derive(`${FREEBSD}/ipfilter-gnatl-fixed-kernel`, (source) => natlookupCases(source, true)),
]);
write('netbsd/npf', 'npf', [derive(`${NETBSD}/npf`, npfCases)]);
write('freebsd/ipfw', 'ipfw', [
  derive(`${FREEBSD}/ipfw-fwd`, (source) => {
    socketNameCases(source, 'redirected', recording(`${FREEBSD}/ip-bindany`));
    ipfwProbes(source);
    leaveMessages(source);
  }),
]);
write('openbsd/divert', 'divert', [
  derive(`${OPENBSD}/pf-divert-to`, (source) => {
    socketNameCases(source, 'diverted', recording(`${OPENBSD}/so-bindany`));
    divertProbes(source, recording(`${OPENBSD}/pf-rdr-to`));
    leaveMessages(source);
  }),
]);
writeAssertions(folder, 'freebsd', 'FreeBSD 12.1', [
  `${FREEBSD}/pf-rdr`,
  `${FREEBSD}/ipfilter-geniter`,
  `${FREEBSD}/ipfw-fwd`,
  `${FREEBSD}/ip-bindany`,
]);
writeAssertions(folder, 'openbsd', 'OpenBSD 7.6', [
  `${OPENBSD}/pf-rdr-to`,
  `${OPENBSD}/pf-divert-to`,
  `${OPENBSD}/so-bindany`,
]);
writeAssertions(folder, 'netbsd', 'NetBSD 10.99.12', [
  `${NETBSD}/pf-rdr`,
  `${NETBSD}/ipfilter`,
  `${NETBSD}/npf`,
  `${NETBSD}/ip-bindany`,
]);

function derive(file: string, cases: (source: Source) => void): CaseSet {
  const source = recording(file);
  source.addMessages();
  cases(source);
  return source.finish();
}

function write(path: string, mechanism: string, sets: CaseSet[]): void {
  const document = { schema: 'origdst.replay-cases/1', mechanism, recordings: sets };
  writeFileSync(`platforms/${path}/cases.json`, `${JSON.stringify(document, null, 1)}\n`);
  process.stderr.write(`${path}: ${sets.reduce((sum, { cases }) => sum + cases.length, 0)} cases\n`);
}
