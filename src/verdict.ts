/** The vocabulary: what is asked of a kernel, what it said, and what that means. Types only. */

export type Os = 'linux' | 'freebsd' | 'openbsd' | 'netbsd';

/** One way in which a kernel redirects, or lets a proxy stay invisible. */
export type MechanismName =
  | 'netfilter'
  | 'tproxy4'
  | 'tproxy2'
  | 'ipfire'
  | 'ipfw'
  | 'pf'
  | 'divert'
  | 'ipfilter'
  | 'npf'
  | 'bindany';

/** lookup: recover the original destination · accept: accept for a foreign address · spoof: connect or send from one. */
export type Operation = 'lookup' | 'accept' | 'spoof';

export type Family = 4 | 6;
export type Protocol = 'tcp' | 'udp';

/** An address (textual, IPv4-mapped addresses already turned into IPv4) and a port in host order. */
export interface Endpoint {
  address: string;
  port: number;
  family: Family;
  /** Interface index of a link-local IPv6 address. */
  scope?: number;
}

/** One thing asked of the kernel and what it said. `errno` and its name are those of the system that answered. */
export interface Step {
  call: string;
  target: string;
  /** What the call returned; -1 on failure. */
  result: number;
  errno: number | null;
  errorName: string | null;
  detail: string;
}

/** What one mechanism did. Facts only. */
export interface Attempt {
  original: Endpoint | null;
  steps: Step[];
}

/** One row of the capability matrix. */
export interface Question {
  operation: Operation;
  family: Family;
  protocol: Protocol;
}

export type CapabilityVerdict =
  | 'proven'
  | 'available'
  | 'denied'
  | 'absent'
  | 'shadowed'
  | 'broken'
  | 'other-os'
  | 'unknown';

export type LookupVerdict =
  | 'translated'
  | 'untranslated'
  | 'inferred'
  | 'reversed'
  | 'no-entry'
  | 'denied'
  | 'unsupported'
  | 'failed';

/**
 * What was concluded from an attempt. `reason` is a stable word for scripts; `cause` and `remedy`
 * are sentences for people, null where all is well.
 */
export interface Conclusion<Verdict> {
  verdict: Verdict;
  reason: string;
  cause: string | null;
  remedy: string | null;
}
