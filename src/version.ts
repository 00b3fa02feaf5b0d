/** What `origdst --version` prints: all that a report of a problem should name. */

import { readFileSync } from 'node:fs';
import { arch, release, type } from 'node:os';
import { join } from 'node:path';
import { loadNative, NativeMissing, nativePath, packageRoot } from './native.ts';

export function versionText(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'));
  const { node, napi } = process.versions;
  return [
    `origdst ${version}`,
    ...addon(),
    `kernel  ${type()} ${release()} ${arch()}`,
    `Node    ${node}, Node-API ${napi}`,
    '',
  ].join('\n');
}

function addon(): string[] {
  const native = loadNative();
  if (native instanceof NativeMissing) {
    return [`addon   not loaded: ${native.message}`, `  mend: ${native.remedy}`];
  }
  return [`addon   ${nativePath()}, Node-API ${native.nodeApi}`];
}
