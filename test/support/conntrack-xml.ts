/** What `conntrack -o xml` prints, as the tests compare it. */

import assert from 'node:assert/strict';
import { isIP } from 'node:net';

export interface XmlDirection {
  /** ADDRESS:PORT, with port 0 where there is none. */
  from: string;
  to: string;
}

export interface XmlFlow {
  protocol: string;
  original: XmlDirection;
  reply: XmlDirection;
  state: string | null;
  mark: number;
  zone: number;
  id: number;
  assured: boolean;
  unreplied: boolean;
}

export function xmlFlows(xml: string): XmlFlow[] {
  return xml
    .split('\n')
    .filter((line) => line.includes('<flow'))
    .map(readFlow);
}

function readFlow(line: string): XmlFlow {
  const [, original, reply, rest] = line.split('<meta ');
  assert(original !== undefined && reply !== undefined && rest !== undefined, line);
  return {
    protocol: attribute(original, /<layer4[^>]*protoname="([^"]+)"/),
    original: direction(original),
    reply: direction(reply),
    state: element(rest, 'state'),
    mark: Number(element(rest, 'mark')),
    zone: Number(element(rest, 'zone') ?? 0),
    id: Number(element(rest, 'id')),
    assured: rest.includes('<assured/>'),
    unreplied: rest.includes('<unreplied/>'),
  };
}

function direction(text: string): XmlDirection {
  return {
    from: place(element(text, 'src'), element(text, 'sport')),
    to: place(element(text, 'dst'), element(text, 'dport')),
  };
}

function place(address: string | null, port: string | null): string {
  assert(address !== null && isIP(address) !== 0);
  return isIP(address) === 6 ? `[${address}]:${port ?? 0}` : `${address}:${port ?? 0}`;
}

function element(text: string, name: string): string | null {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? null;
}

function attribute(text: string, pattern: RegExp): string {
  return pattern.exec(text)?.[1] ?? '';
}
