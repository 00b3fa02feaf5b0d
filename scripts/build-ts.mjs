// Compiles the library to dist/src and dist/platforms, and bundles the commands to dist/cli: one
// module instead of a hundred is half of the start-up time.
import { execFileSync } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import { build } from 'esbuild';
import { lazyRequire } from './lazy-require.mjs';

// Made aside and swapped in whole: a build that fails leaves the last good one where it was, and a
// command that runs meanwhile finds all its files. Types are checked by `npm run types`.
const NEXT = 'dist.new';
rmSync(NEXT, { recursive: true, force: true });
execFileSync('tsc', ['--noCheck', '--outDir', NEXT], { stdio: 'inherit' });
await build({
  entryPoints: ['src/run.ts'],
  outdir: `${NEXT}/cli`,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  minify: true,
  // The slow way (help, mistyped commands) uses the package as it is installed.
  external: ['@oclif/core/execute'],
  plugins: [lazyRequire],
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
rmSync('dist', { recursive: true, force: true });
renameSync(NEXT, 'dist');
execFileSync('oclif', ['manifest'], { stdio: ['ignore', 'ignore', 'inherit'] });
execFileSync('node', ['scripts/completions/run.ts'], { stdio: 'inherit' });
