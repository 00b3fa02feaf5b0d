/** The published schemas, as the tests hold the program to them. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

/** Fails unless `document` has the shape that schemas/NAME.schema.json publishes. */
export function assertSchema(name: string, document: unknown): void {
  const path = new URL(`../../schemas/${name}.schema.json`, import.meta.url);
  const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
  const valid = ajv.validate(JSON.parse(readFileSync(path, 'utf8')), document);
  assert(valid, ajv.errorsText(undefined, { separator: '\n' }));
}
