/** Writes completions/ from the command classes: scripts/build-ts.mjs calls it, so that it is never out of date. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { bashCompletion } from './bash.ts';
import { declaredCommands } from './commands.ts';
import { fishCompletion } from './fish.ts';
import { zshCompletion } from './zsh.ts';

const folder = new URL('../../completions/', import.meta.url);
const commands = await declaredCommands();
mkdirSync(folder, { recursive: true });
// Named as each shell looks for them.
writeFileSync(new URL('origdst.bash', folder), bashCompletion(commands));
writeFileSync(new URL('_origdst', folder), zshCompletion(commands));
writeFileSync(new URL('origdst.fish', folder), fishCompletion(commands));
