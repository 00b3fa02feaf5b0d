#!/usr/bin/env node
// The installed command. Compiled code is cached only where no one else could have put it:
// a folder of this user's own (root must not load code out of a path that others can write).
import { mkdirSync, statSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

function cacheFolder() {
  try {
    const uid = process.geteuid();
    const home = homedir();
    const folder = join(process.env.XDG_CACHE_HOME || join(home, '.cache'), 'origdst');
    if (statSync(home).uid !== uid) return null;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid: owner, mode } = statSync(folder);
    return owner === uid && (mode & 0o022) === 0 ? folder : null;
  } catch {
    return null;
  }
}

const folder = cacheFolder();
if (folder !== null) enableCompileCache(folder);
process.env.NODE_ENV ??= 'production';
const { run } = await import('../dist/cli/run.js');
await run(process.argv.slice(2));
