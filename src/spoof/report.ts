/** What a spoofed connection attempt reports: stages, what was seen on the wire, and the conclusion. Types only. */

import type { Conclusion, MechanismName, Protocol, Step } from '../verdict.ts';
import type { Packet } from './packet.ts';

/**
 * spoofed: connected (or answered, over UDP) with the foreign source address · rewritten: it works, but a NAT rule
 * of this host changes the addresses · own-address: nothing is proven, the address is this host's · not-sent: it never
 * left this host · no-reply: nothing came back to this host · dropped-here: the reply came back and did not reach the
 * socket · unexpected-data: connected, but what was expected did not come · unknown: timed out unwatched.
 */
export type SpoofVerdict =
  | 'spoofed'
  | 'rewritten'
  | 'own-address'
  | 'refused'
  | 'unreachable'
  | 'not-sent'
  | 'no-reply'
  | 'dropped-here'
  | 'unexpected-data'
  | 'unknown'
  | 'denied'
  | 'unsupported'
  | 'failed';

export type StageName =
  | 'socket'
  | 'option'
  | 'control'
  | 'bind'
  | 'assign'
  | 'watch'
  | 'connect'
  | 'handshake'
  | 'data';

/** Only what was tried is a stage. Each has the steps that its verdict was drawn from. */
export interface Stage {
  stage: StageName;
  verdict: 'ok' | 'failed' | 'denied' | 'waiting';
  note: string | null;
  steps: Step[];
}

export interface Place {
  address: string;
  port: number;
}

export interface SpoofReport extends Conclusion<SpoofVerdict> {
  schema: 'origdst.spoof-connect/1';
  mechanism: MechanismName;
  protocol: Protocol;
  /** With the port that the kernel chose, once it is bound. */
  source: Place;
  target: Place;
  stages: Stage[];
  /** null: the wire could not be watched, or it did not come to that. */
  packets: Packet[] | null;
  /** What came back, as text, at most 1024 characters. null: nothing came, or nothing was waited for. */
  received: string | null;
  /** What was asked of the host to find the cause. */
  evidence: Step[];
}
