/** The only file that loads the addon. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NativeTable } from './table/native-table.ts';
import type { Endpoint, Family, Operation, Protocol, Question, Step } from './verdict.ts';

/** A connection to ask about: by descriptor, or by its two addresses. */
export interface NativeFlow {
  fd?: number;
  protocol: Protocol;
  peer?: Endpoint;
  local?: Endpoint;
  /** Linux conntrack zone; -1 searches all of them. */
  zone?: number;
  /** OpenBSD routing domain, where no socket tells it. */
  rdomain?: number;
  /** NetBSD: the interface that NPF saw the connection on; all are tried where it is not named. */
  interface?: string;
  /** May make a call that is known to panic kernels: SIOCGNATL on FreeBSD. */
  unsafe?: boolean;
  /** Descriptor of the network namespace to ask in. */
  netns?: number;
}

export interface NativeLookup {
  original: Endpoint | null;
  peer: Endpoint | null;
  local: Endpoint | null;
  zone: number;
  steps: Step[];
}

/** A socket of the host as sock_diag(7) lists it. `state` as in net/tcp_states.h: 1 established, 10 listen. */
export interface HostSocket {
  family: Family;
  protocol: Protocol;
  state: number;
  transparent: boolean;
  /** This end sent the SYN; false also where that cannot be told. */
  opened: boolean;
  uid: number;
  /** 0 when no process holds it any more. */
  inode: number;
  local: Endpoint;
  peer: Endpoint;
}

export interface Described {
  /** null: not an IPv4 or IPv6 stream or datagram socket; the steps say why. */
  family: Family | null;
  protocol: Protocol | 'mptcp';
  listening: boolean;
  local: Endpoint | null;
  peer: Endpoint | null;
  steps: Step[];
}

/** A conntrack entry seen from the host's end of it. */
export interface TrackedFlow {
  peer: Endpoint;
  local: Endpoint;
  original: Endpoint;
  zone: number;
}

export interface Native extends NativeTable {
  /** The version of Node-API that the addon was built for: every newer Node has it. */
  readonly nodeApi: number;
  mechanisms(): string[];
  lookup(mechanism: string, flow: NativeFlow): NativeLookup;
  prepare(mechanism: string, fd: number, question: Question): { steps: Step[] };
  /** tproxy2: gives a socket that is bound to an address of this host a foreign one. */
  assign(
    mechanism: string,
    fd: number,
    question: Question,
    foreign: Endpoint,
    target?: Endpoint,
  ): { steps: Step[] };
  probe(mechanism: string, question: Question): { original: null; steps: Step[] };
  sockets(family: Family, protocol: Protocol, netns?: number): { sockets: HostSocket[]; steps: Step[] };
  tracked(
    family: Family,
    protocol: Protocol,
    localPort: number,
    netns?: number,
  ): { flows: TrackedFlow[]; steps: Step[] };
  takeDescriptor(pid: number, fd: number): { fd: number | null; steps: Step[] };
  socketNamespace(fd: number): { fd: number | null; steps: Step[] };
  /** Tries in a child whether this user may make a user namespace and a network namespace in it. */
  tryUserNamespace(): Step[];
  /** From now on this process is killed when its parent ends. False: process `parent` has ended already. */
  endWithParent(parent: number): boolean;
  /** Packets of all interfaces of a namespace. */
  openCapture(netns?: number): { fd: number | null; steps: Step[] };
  /** The packets between the port of `local` and `peer`, and the ICMP errors about them. */
  openWatch(
    flow: { protocol: Protocol; local: Endpoint; peer: Endpoint },
    netns?: number,
  ): { fd: number | null; steps: Step[] };
  /**
   * The next packet from its network header on, null when there is none.
   * overheard: its link-layer destination is another machine.
   */
  readCapture(fd: number): { interface: string; outgoing: boolean; overheard: boolean; bytes: Buffer } | null;
  newNamespace(): { fd: number | null; steps: Step[] };
  /** Runs a synchronous callback with the thread inside the namespace. Throws, with `.step`, when it may not enter. */
  inNamespace<T>(netns: number, callback: () => T): T;
  /** BPF programs of a cgroup that may rewrite destinations; hook 0: connect4, 1: connect6, 2: sendmsg4, 3: sendmsg6. */
  cgroupPrograms(cgroup: number, hook: number): { ids: number[]; steps: Step[] };
  describe(fd: number): Described;
  openSocket(
    family: Family,
    protocol: Protocol | 'mptcp',
    netns?: number,
  ): { fd: number | null; steps: Step[] };
  close(fd: number): Step;
  bind(fd: number, address: { address: string; port: number }): Step;
  connect(fd: number, address: { address: string; port: number }): Step;
  listen(fd: number, backlog: number): Step;
  accept(fd: number): Step;
  setOption(fd: number, level: number, name: number, value: number): Step;
  getOption(fd: number, level: number, name: number): Step;
  send(fd: number, bytes: Uint8Array, to?: { address: string; port: number }): Step;
  receive(
    fd: number,
    size: number,
  ): { step: Step; bytes: Buffer | null; from: Endpoint | null; original: Endpoint | null };
  /** SIGIO to the process `pid` whenever something arrives on the socket: once for many, so read it empty. */
  signalWhenReadable(fd: number, pid: number): { steps: Step[] };
  poll(fds: number[], events: 'read' | 'write', milliseconds: number): number[];
}

export type { Operation };

/** Why there is no addon: what was tried, and the command that mends it. */
export class NativeMissing extends Error {
  readonly remedy: string;
  constructor(
    message: string,
    remedy = 'build it with: npm run build:native (needs cmake, make and a C++ compiler)',
  ) {
    super(message);
    this.remedy = remedy;
  }
}

let loaded: Native | NativeMissing | undefined;
let path: string | null = null;

/** The addon, or the reason why there is none: `capabilities` still runs without it. */
export function loadNative(): Native | NativeMissing {
  loaded ??= attemptLoad();
  return loaded;
}

/** The addon. @throws {NativeMissing} */
export function requireNative(): Native {
  const native = loadNative();
  if (native instanceof NativeMissing) throw native;
  return native;
}

/** The file that the addon was loaded from; null where it was not. */
export function nativePath(): string | null {
  return loadNative() instanceof NativeMissing ? null : path;
}

function attemptLoad(): Native | NativeMissing {
  if (process.env.ORIGDST_NO_NATIVE) {
    return new NativeMissing(
      'the environment variable ORIGDST_NO_NATIVE forbids the native module',
      'unset ORIGDST_NO_NATIVE',
    );
  }
  const require = createRequire(import.meta.url);
  try {
    const found: string = process.env.ORIGDST_NATIVE ?? require('node-gyp-build').resolve(packageRoot());
    path = found;
    return require(found) as Native;
  } catch (error) {
    const first = (error as Error).message.split('\n')[0];
    return new NativeMissing(`the native module could not be loaded: ${first}`);
  }
}

/** This file runs from src/, from dist/src/ and from the bundle: the package is the folder above that has package.json. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}
