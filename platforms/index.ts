/** The catalogue, in the order in which mechanisms are asked and shown: one line a mechanism. */

import type { Mechanism } from '../src/mechanism.ts';
import { bindany } from './bsd/bindany/mechanism.ts';
import { ipfilter } from './bsd/ipfilter/mechanism.ts';
import { pf } from './bsd/pf/mechanism.ts';
import { ipfw } from './freebsd/ipfw/mechanism.ts';
import { ipfire } from './linux/ipfire/mechanism.ts';
import { netfilter } from './linux/netfilter/mechanism.ts';
import { tproxy2 } from './linux/tproxy2/mechanism.ts';
import { tproxy4 } from './linux/tproxy4/mechanism.ts';
import { npf } from './netbsd/npf/mechanism.ts';
import { divert } from './openbsd/divert/mechanism.ts';

export const catalogue: readonly Mechanism[] = [
  netfilter,
  tproxy4,
  tproxy2,
  ipfire,
  ipfw,
  pf,
  divert,
  ipfilter,
  npf,
  bindany,
];
