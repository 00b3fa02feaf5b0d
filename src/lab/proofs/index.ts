/** All proofs, in the order in which they are run and shown. */

import type { Proof } from '../proof.ts';
import { dualStackProofs } from './dual-stack.ts';
import { netfilterProofs } from './netfilter.ts';
import { spoofProofs } from './spoof.ts';
import { tproxyProofs } from './tproxy.ts';
import { transparentProofs } from './transparent.ts';

export const proofs: readonly Proof[] = [
  ...netfilterProofs,
  ...tproxyProofs,
  ...spoofProofs,
  ...transparentProofs,
  ...dualStackProofs,
];
