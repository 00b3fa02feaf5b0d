#!/usr/bin/env node
// The installed command. It starts on any Node, to say which one it needs.
// Compiled code is cached only where no one else could have put it:
// a folder of this user's own (root must not load code out of a path that others can write).
import { mkdirSync, statSync } from 'node:fs';
import module from 'node:module';
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

if (Number.parseInt(process.versions.node, 10) < 22) {
  process.stderr.write(
    `origdst: needs Node 22 or newer, and this is ${process.version} (${process.execPath})\n`,
  );
  process.exit(1);
}
const folder = cacheFolder();
// Node 22.8 and newer.
if (folder !== null) module.enableCompileCache?.(folder);
process.env.NODE_ENV ??= 'production';
const { run } = await import('../dist/cli/run.js');
await run(process.argv.slice(2));
