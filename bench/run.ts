/** `npm run bench`: every benchmark, each side by side with its baseline in the same run. */

import { cpus, release } from 'node:os';
import { benchAcceptRate } from './accept-rate.ts';
import { benchProve } from './prove.ts';
import { benchRules } from './rules.ts';
import { benchSockets } from './sockets.ts';
import { benchStartup } from './startup.ts';
import { benchTable } from './table.ts';

process.stdout.write(`Node ${process.version}, Linux ${release()}, ${cpus().length} x ${cpus()[0]?.model}\n`);
benchStartup();
benchProve();
benchRules();
benchSockets();
await benchTable();
await benchAcceptRate();
