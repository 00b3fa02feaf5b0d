/** Every finding: a file that has it, where, and the command that mends it, executed. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { check } from '../../src/translation/check.ts';

const PRE = 'DIRECTION=PRE\nPROTOCOL=6\nDSTPORT=110\nNAT=YES\nNEWADDR=192.168.0.1\nNEWPORT=8110\n';
const rule = (...lines: string[]) => `RULE\n${lines.map((line) => `${line}\n`).join('')}`;
const pre = (...lines: string[]) => `RULE\n${PRE}${lines.map((line) => `${line}\n`).join('')}END\n`;
const GOOD = pre();

/** id, severity, line and column of the finding, and the file. Rules of `pre` have 7 lines. */
const CASES: [id: string, severity: string, line: number, column: number, file: string][] = [
  ['end-missing', 'error', 7, 1, `RULE\n${PRE}`],
  ['end-missing', 'error', 7, 1, `RULE\n${PRE}`.slice(0, -1)],
  ['rule-miscounted', 'error', 9, 1, `${GOOD}RULE\n${PRE}`],
  ['rule-miscounted', 'error', 2, 1, pre().replace('RULE\n', 'RULE\nBSRUX\n')],
  ['direction-missing', 'error', 1, 1, GOOD.replace('DIRECTION=PRE\n', '')],
  ['interval-without-start', 'error', 8, 1, pre('_END_SRCADDR=10.0.0.9')],
  ['interval-without-start', 'error', 8, 1, pre('_END_SRCPORT=9')],
  ['address-conflict', 'error', 9, 1, pre('DSTADDR=10.0.0.1', 'MYDSTADDR')],
  ['crlf', 'error', 1, 5, GOOD.replaceAll('\n', '\r\n')],
  ['nul-byte', 'error', 8, 1, pre('NAME=a\0b')],
  ['line-too-long', 'error', 8, 512, pre(`#${'x'.repeat(600)}`)],
  ['byte-order-mark', 'error', 1, 1, `\u00ef\u00bb\u00bf${GOOD}`],
  ['leading-blank', 'error', 8, 1, pre('  SRCPORT=9')],
  ['leading-blank', 'info', 8, 1, pre('  # a comment')],
  ['unknown-keyword', 'error', 8, 1, pre('DPORT=25')],
  ['unknown-keyword', 'error', 8, 1, pre('SRCADDR51=10.0.0.1')],
  ['unknown-keyword', 'error', 8, 1, pre('SRCADDR1=10.0.0.1')],
  ['unknown-keyword', 'error', 8, 1, pre('nat=YES')],
  ['unknown-keyword', 'warning', 1, 1, `hello\n${GOOD}`],
  ['before-first-rule', 'warning', 1, 1, `SRCPORT=9\n${GOOD}`],
  ['after-end', 'warning', 9, 1, `${GOOD}NAT=YES\n`],
  ['position-ignored', 'warning', 8, 1, pre('POSITION=18')],
  ['trailing-text', 'warning', 1, 1, GOOD.replace('RULE', 'RULE 1')],
  ['repeated', 'warning', 8, 1, pre('NEWPORT=8111')],
  ['value-ignored', 'error', 8, 8, pre('FTP_SUPPORT=TRUE').replace('FTP_SUPPORT', 'NOTIFY')],
  ['value-ignored', 'error', 2, 11, GOOD.replace('=PRE', '=pre')],
  ['bad-address', 'error', 6, 9, GOOD.replace('192.168.0.1', '192.168.0.1 ')],
  ['bad-address', 'error', 6, 9, GOOD.replace('192.168.0.1', '192.168.000.1')],
  ['bad-address', 'error', 8, 9, pre('SRCADDR=10.0.0.0/8')],
  ['bad-address', 'error', 8, 9, pre('SRCADDR=gateway')],
  ['bad-number', 'error', 4, 9, GOOD.replace('=110', '=pop3')],
  ['bad-number', 'error', 4, 9, GOOD.replace('=110', '=65646')],
  ['selector-ignored', 'error', 8, 1, pre('SYN=TRUE')],
  ['selector-ignored', 'error', 8, 1, pre('TOS=16')],
  ['my-not-unreachable', 'error', 8, 1, pre('MYSRCADDR_NOT')],
  ['mss-to-pmtu', 'warning', 8, 1, pre('MSS_VALUE=1400')],
  ['name-cut', 'info', 8, 1, pre(`NAME=${'x'.repeat(31)}`)],
  ['device-name', 'error', 8, 10, pre('INDEVICE=eth0 ')],
  ['device-name', 'error', 8, 10, pre('INDEVICE=averylonginterface')],
  ['protocol-missing', 'error', 1, 1, GOOD.replace('PROTOCOL=6\n', '')],
  ['protocol-named', 'error', 3, 10, GOOD.replace('=6', '=tcp')],
  ['pre-without-nat', 'error', 1, 1, GOOD.replace('NAT=YES\n', '')],
  ['source-translation-at-pre', 'warning', 1, 1, pre('SNAT=YES')],
  ['post-without-source-translation', 'error', 1, 1, GOOD.replace('=PRE', '=POST')],
  ['output-needs-permission', 'warning', 1, 1, GOOD.replace('=PRE', '=OUTPUT')],
  [
    'output-not-rerouted',
    'warning',
    6,
    1,
    GOOD.replace('=PRE', '=OUTPUT').replace('192.168.0.1', '127.0.0.1'),
  ],
  ['drop-list', 'error', 2, 1, GOOD.replace('=PRE', '=INPUT')],
  ['drop-list', 'error', 2, 1, GOOD.replace('=PRE', '=FORWARD')],
  ['ports-ignored', 'error', 4, 1, GOOD.replace('=6', '=1')],
  ['port-of-no-port-protocol', 'error', 7, 1, GOOD.replace('=6', '=1')],
  ['port-zero', 'error', 7, 1, GOOD.replace('8110', '0')],
  ['never-matches', 'error', 1, 1, pre('OUTDEVICE=eth0')],
  ['never-matches', 'error', 1, 1, pre('MYDSTADDR')],
  ['never-matches', 'error', 1, 1, pre('INDEVICE=eth0').replace('=PRE', '=OUTPUT')],
  ['takes-everything', 'warning', 1, 1, GOOD.replace('DSTPORT=110\n', '')],
  ['negation-lost', 'error', 9, 1, pre('SRCPORT_NOT=1', '_END_SRCPORT=9')],
  ['negation-lost', 'error', 9, 1, pre('SRCADDR_NOT=10.0.0.1', '_END_SRCADDR=10.0.0.9')],
  ['negation-mixed', 'error', 9, 1, pre('SRCADDR=10.0.0.1', 'SRCADDR2_NOT=10.0.0.9')],
  ['list-has-hole', 'error', 8, 1, pre('SRCPORT=1', 'SRCPORT2=0', 'SRCPORT3=9')],
  ['list-has-hole', 'error', 8, 1, pre('SRCADDR2=10.0.0.1')],
  ['interval-reversed', 'error', 9, 1, pre('SRCPORT=9', '_END_SRCPORT=1')],
  ['list-and-interval', 'error', 10, 1, pre('SRCPORT=1', 'SRCPORT2=5', '_END_SRCPORT=9')],
  ['list-and-interval', 'error', 10, 1, pre('SRCPORT=1', '_END_SRCPORT=9', 'SRCPORT2=5')],
  [
    'masquerade-alone',
    'warning',
    5,
    1,
    `${rule('DIRECTION=POST', 'PROTOCOL=6', 'MASQUERADE=YES', 'NEWADDR=10.0.0.1')}END\n`,
  ],
  ['changes-nothing', 'warning', 1, 1, `${rule('DIRECTION=PRE', 'PROTOCOL=6', 'DSTPORT=1', 'NAT=YES')}END\n`],
  ['address-kept', 'warning', 6, 1, GOOD.replace('NEWADDR=192.168.0.1\n', '')],
  ['address-kept', 'warning', 1, 1, `${rule('DIRECTION=POST', 'PROTOCOL=6', 'SNAT=YES', 'NEWPORT=9')}END\n`],
  ['pre-not-own-traffic', 'info', 1, 1, GOOD],
  ['shadowed', 'warning', 8, 1, `RULE\n${PRE}RULE\n${PRE}SRCADDR=10.0.0.1\nEND\n`],
  ['shadowed', 'warning', 9, 1, `RULE\n${PRE}_END_DSTPORT=120\nRULE\n${PRE}END\n`],
];

const folder = mkdtempSync(join(tmpdir(), 'origdst-check-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'it’s a file');

for (const [index, [id, severity, line, column, file]] of CASES.entries()) {
  test(`${index}: ${id}`, () => {
    const { findings } = check(path, file);
    const finding = findings.find((one) => one.id === id);
    const all = findings.map((one) => `${one.line}:${one.column} ${one.severity} ${one.id}`);
    assert(finding !== undefined, all.join('\n'));
    assert.deepEqual([finding.severity, finding.line, finding.column], [severity, line, column]);
    assert.match(finding.cause, /^[A-Z_‘0-9].*[.?]$/);
    if (finding.remedy === null) return;
    writeFileSync(path, file, 'latin1');
    execFileSync('sh', ['-c', finding.remedy]);
    const mended = check(path, readFileSync(path, 'latin1'));
    assert(!mended.findings.some((one) => one.id === id), `${finding.remedy}: it is still there`);
  });
}

describe('what is in order has no finding but the note', () => {
  const FILES: Record<string, string> = {
    'an empty file': '',
    'comments and blank lines': `# one\n\n${GOOD}# after\n`,
    'a list of fifty ports': pre(
      'SRCPORT=1',
      ...Array.from({ length: 49 }, (_, at) => `SRCPORT${at + 2}=${at + 2}`),
    ),
    'an interval that must not match': pre('SRCADDR_NOT=10.0.0.1', '_END_SRCADDR_NOT=10.0.0.9'),
    'blanks before an address': GOOD.replace('NEWADDR=', 'NEWADDR=  '),
    'source translation': `${rule('DIRECTION=POST', 'PROTOCOL=6', 'OUTDEVICE=ppp0', 'SNAT=YES', 'NEWADDR=10.0.0.1')}END\n`,
    'two rules that differ by their device': `RULE\n${PRE}INDEVICE=a\nRULE\n${PRE}INDEVICE=b\nEND\n`,
    'a narrower rule before a wider one': `RULE\n${PRE}SRCADDR=10.0.0.1\nRULE\n${PRE}END\n`,
    'other protocols': `RULE\n${PRE}${GOOD.replace('=6', '=17')}`,
  };
  for (const [name, file] of Object.entries(FILES)) {
    test(name, () => {
      const { findings, loader } = check('f', file);
      assert.deepEqual(
        findings.filter(({ id }) => id !== 'pre-not-own-traffic'),
        [],
      );
      assert.equal(loader.outcome, 'loaded');
    });
  }
});

test('every rule after a refusal is still examined', () => {
  const { findings } = check('f', `${rule('PROTOCOL=6')}RULE\n${PRE.replace('NAT=YES\n', '')}END\n`);
  const ids = findings.map(({ id }) => id);
  assert(ids.includes('direction-missing') && ids.includes('pre-without-nat'), ids.join());
});

test('a hundred thousand rules', () => {
  let file = '';
  for (let number = 0; number < 100_000; number++) {
    const address = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
    file += rule(...PRE.trimEnd().split('\n'), `DSTADDR=${address}`);
  }
  const { summary, rules } = check('f', `${file}END\n`);
  assert.equal(rules.lists.pre, 100_000);
  assert.deepEqual(summary, { errors: 0, warnings: 0, infos: 1 });
});
