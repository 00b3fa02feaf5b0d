/** What the kernel counted in this thread's namespace: drops that leave no other trace. */

import { readFileSync } from 'node:fs';
import type { Step } from '../verdict.ts';

export interface Counters {
  values: Map<string, number>;
  step: Step;
}

/** /proc/net/netstat and /proc/net/snmp: a line of names, a line of numbers (`TcpExt: IPReversePathFilter …`). */
export function readNetstat(): Counters {
  return read('/proc/thread-self/net/netstat', (text) => {
    const lines = text.split('\n');
    const values = new Map<string, number>();
    for (let index = 0; index + 1 < lines.length; index += 2) {
      const [, ...names] = lines[index]?.split(' ') ?? [];
      const [, ...numbers] = lines[index + 1]?.split(' ') ?? [];
      for (const [at, name] of names.entries()) values.set(name, Number(numbers[at]));
    }
    return values;
  });
}

/** /proc/net/stat/nf_conntrack: a line of names, then a line of hexadecimal numbers a processor. */
export function readConntrackStatistics(): Counters {
  return read('/proc/thread-self/net/stat/nf_conntrack', (text) => {
    const [head = '', ...lines] = text.trim().split('\n');
    const names = head.trim().split(/\s+/);
    const values = new Map<string, number>();
    for (const line of lines) {
      for (const [at, hex] of line.trim().split(/\s+/).entries()) {
        const name = names[at] ?? '';
        values.set(name, (values.get(name) ?? 0) + Number.parseInt(hex, 16));
      }
    }
    return values;
  });
}

function read(target: string, parse: (text: string) => Map<string, number>): Counters {
  const step: Step = { call: 'read', target, result: 0, errno: null, errorName: null, detail: '' };
  try {
    return { values: parse(readFileSync(target, 'utf8')), step };
  } catch (error) {
    const { code = 'EIO', errno } = error as NodeJS.ErrnoException;
    const failed = { ...step, result: -1, errno: errno === undefined ? null : -errno, errorName: code };
    return { values: new Map(), step: failed };
  }
}
