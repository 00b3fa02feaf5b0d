/** The control message of the TPROXY 2 patch, read by the file of the addon that reads Linux's own. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('IP_ORIGADDRS, 11273', () => {
  let folder: string;
  const read = (hex: string) => execFileSync(join(folder, 'origaddrs'), [hex], { encoding: 'utf8' }).trim();
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'origdst-test-'));
    const sources = ['test/support/origaddrs.c', 'platforms/linux/host/message.c', 'native/address.c'];
    const flags = ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-fsanitize=address,undefined', '-Inative'];
    execFileSync('cc', [...flags, ...sources, '-o', join(folder, 'origaddrs')], { cwd: ROOT });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('the destination, not the source', () => {
    // struct in_origaddrs: source 192.0.2.2, destination 198.51.100.2, ports 40000 and 53
    assert.equal(read('c0000202c63364029c400035'), '4 198.51.100.2:53');
  });
  test('a longer message of another patch level', () => {
    assert.equal(read('c0000202c63364029c40003500000000'), '4 198.51.100.2:53');
  });
  test('a message that is cut short says nothing', () => {
    assert.equal(read('c0000202c63364029c4000'), 'none');
    assert.equal(read('aa'), 'none');
  });
});
