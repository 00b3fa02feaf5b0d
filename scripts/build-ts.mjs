// Compiles the library to dist/src and dist/platforms, and bundles the commands to dist/cli: one
// module instead of a hundred is half of the start-up time.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { build } from 'esbuild';
import { lazyRequire } from './lazy-require.mjs';

rmSync('dist', { recursive: true, force: true });
execFileSync('tsc', { stdio: 'inherit' });
await build({
  entryPoints: ['src/run.ts'],
  outdir: 'dist/cli',
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
execFileSync('oclif', ['manifest'], { stdio: ['ignore', 'ignore', 'inherit'] });
