/** A scenario, and the complete set of commands that makes it work on a host, and that takes it back. */

import { isIP } from 'node:net';
import type { Family, Protocol } from '../verdict.ts';

export const MECHANISMS = ['netfilter', 'tproxy4', 'pf', 'divert', 'ipfw', 'ipfilter', 'npf'] as const;
export type GeneratedMechanism = (typeof MECHANISMS)[number];
export const TOOLS = ['nft', 'iptables'] as const;
export type Tool = (typeof TOOLS)[number];

export interface Scenario {
  mechanism: GeneratedMechanism;
  /** Linux: the program that loads the rules. */
  tool: Tool;
  protocol: Protocol;
  families: readonly Family[];
  /** The ports that clients call. */
  ports: readonly number[];
  to: Target;
  /** Where the clients come in; null: any interface. */
  interface: string | null;
}

/** Where the proxy listens; address null: on this host, whichever it is. */
export interface Target {
  address: string | null;
  port: number;
}

export interface WorkingSet {
  os: 'linux' | 'freebsd' | 'openbsd' | 'netbsd';
  /** Commands of a shell, in order; each may have several lines. */
  apply: string[];
  /** What takes them back, in order. */
  undo: string[];
  /** What no command can see to. */
  notes: string[];
}

/** @throws {SyntaxError} unless the text is PORT, ADDRESS:PORT or [IPV6]:PORT */
export function parseTarget(text: string): Target {
  const match = /^(?:(?:\[([^\]]*)\]|([^:]*)):)?([0-9]{1,5})$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? null;
  const port = Number(match?.[3] ?? 0);
  const wanted = match?.[1] === undefined ? 4 : 6;
  if (port < 1 || port > 65535 || (address !== null && (isIP(address) !== wanted || address.includes('%')))) {
    throw new SyntaxError(`'${text}' is not PORT, ADDRESS:PORT or [IPV6]:PORT`);
  }
  return { address, port };
}

/** `ADDRESS:PORT` as nft and iptables write it. */
export function formatTarget({ address, port }: Target): string {
  if (address === null) return `:${port}`;
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The shell reads `text` on the standard input of `command`. */
export function feed(command: string, text: readonly string[]): string {
  return [`${command} <<'END'`, ...text, 'END'].join('\n');
}
