/** A certificate authority for one test, which also serves as the certificate of a server. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Scratch } from './scratch.ts';

export interface Certificate {
  /** The paths, for a proxy's command line. */
  keyFile: string;
  certFile: string;
  /** The same in PEM, for node:tls. */
  key: Buffer;
  cert: Buffer;
}

export function makeCertificate(scratch: Scratch, name: string): Certificate {
  const keyFile = scratch.file(`${name}.key`);
  const certFile = scratch.file(`${name}.pem`);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  execFileSync('openssl', ['req', '-x509', ...key, '-out', certFile, '-days', '1', '-subj', `/CN=${name}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 20_000,
  });
  return { keyFile, certFile, key: readFileSync(keyFile), cert: readFileSync(certFile) };
}
