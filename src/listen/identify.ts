/** Which mechanism brought a connection, asked of the kernel when it arrives. */

import { explainUntracked } from '../diagnosis/untracked.ts';
import { inquire, type LookupResult, type Subject } from '../inquiry.ts';
import type { Mechanism } from '../mechanism.ts';
import type { Native } from '../native.ts';
import type { Endpoint, LookupVerdict } from '../verdict.ts';

export class Identifier {
  readonly #native: Native;
  readonly #mechanisms: readonly Mechanism[];
  readonly #bound: Endpoint;
  /** Looking through zones and namespaces takes its time: once for each verdict is enough. */
  readonly #explained = new Set<LookupVerdict>();

  /** @param bound the listener's own address */
  constructor(native: Native, mechanisms: readonly Mechanism[], bound: Endpoint) {
    this.#native = native;
    this.#mechanisms = mechanisms;
    this.#bound = bound;
  }

  ask(subject: Subject): LookupResult {
    const result = inquire(this.#native, subject, this.#mechanisms);
    if (ASSERTED.has(result.verdict)) return result;
    const sign = this.#asksTproxy ? this.#foreignDestination(result) : null;
    if (sign === null) return this.#explain(subject, result);
    return {
      ...result,
      original: result.flow.local,
      mechanism: 'tproxy4',
      verdict: 'inferred',
      reason: sign.reason,
      cause: `The kernel keeps no record of TPROXY: inferred from ${sign.sentence}.`,
      remedy: 'origdst capabilities --prove   # proves the mechanism on this kernel',
    };
  }

  #explain(subject: Subject, result: LookupResult): LookupResult {
    if (this.#explained.has(result.verdict)) return result;
    this.#explained.add(result.verdict);
    return explainUntracked(this.#native, subject, result);
  }

  get #asksTproxy(): boolean {
    return this.#mechanisms.some(({ name }) => name === 'tproxy4');
  }

  /**
   * What a listener knows beyond its socket's option: a packet for another port or address than the
   * one that it is bound to was assigned to it by a rule, also where the address is this host's own.
   */
  #foreignDestination(result: LookupResult): { reason: string; sentence: string } | null {
    const { local } = result.flow;
    if (local === null) return null;
    if (local.port !== this.#bound.port) {
      return {
        reason: 'foreign-local-port',
        sentence: `a destination port (${local.port}) that this listener is not bound to (${this.#bound.port})`,
      };
    }
    const control = result.evidence.find(({ mechanism, call }) => mechanism === 'tproxy4' && call === 'bind');
    if (control?.errorName !== 'EADDRNOTAVAIL') return null;
    return {
      reason: 'foreign-local-address',
      sentence: 'a destination address that this host does not own',
    };
  }
}

/** These say where the client meant to go, or that it was this socket which called. */
const ASSERTED: ReadonlySet<LookupVerdict> = new Set(['translated', 'inferred', 'reversed']);

/** true: redirected to the listener; false: addressed to it; null: the kernel would not tell. */
export function intercepted({ verdict }: LookupResult): boolean | null {
  if (verdict === 'translated' || verdict === 'inferred') return true;
  return verdict === 'untranslated' || verdict === 'no-entry' || verdict === 'reversed' ? false : null;
}
