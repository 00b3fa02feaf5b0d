/** One JSON document, for machines. */

import type { Output } from './output.ts';

export function renderJson(document: unknown, output: Output): void {
  output.write(`${JSON.stringify(document, null, 2)}\n`);
}
