#!/usr/bin/env node
// The command straight from the TypeScript sources (Node strips the types).
const { run } = await import('../src/run.ts');
await run(process.argv.slice(2));
