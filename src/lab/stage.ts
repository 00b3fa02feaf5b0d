/** Where one proof takes place: its lab, the sockets and rules in it, and what the kernel said to each call. */

import { setTimeout as sleep } from 'node:timers/promises';
import { said } from '../conclusion.ts';
import { formatEndpoint } from '../endpoint.ts';
import type { Native } from '../native.ts';
import type { Endpoint, Protocol, Question, Step } from '../verdict.ts';
import { LabError, type LabHost } from './host.ts';
import type { Lab } from './lab.ts';
import { PacketWatch } from './packets.ts';
import { load, type RuleTool, spell } from './rule-tool.ts';
import { familyOf, needsPolicyRoute, POLICY_ROUTE, type Rule } from './rules.ts';

/** The packets did not do what the mechanism promises. Says what was seen; the diagnosis says why. */
export class ProofFailed extends Error {
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** How tests break a lab on purpose. */
export interface Tampering {
  /** Listeners and senders are made without the mechanism's socket option. */
  withoutOption?: boolean;
  /** After the rules are in place and before the proof's own traffic. */
  afterRules?(lab: Lab): void | Promise<void>;
  /** Before a control, which must then prove what it must not. */
  beforeControl?(lab: Lab): void | Promise<void>;
}

/** A socket that waits for the client: a TCP listener, or an unconnected UDP socket. */
export interface Listener {
  fd: number;
  host: LabHost;
  /** `proxy` or `origin server`. */
  name: string;
  at: Endpoint;
  protocol: Protocol;
  /** Was it made by the mechanism's `prepare`? */
  prepared: boolean;
}

export class Stage {
  readonly native: Native;
  readonly lab: Lab;
  readonly steps: Step[] = [];
  readonly listeners: Listener[] = [];
  readonly tampering: Tampering;
  /** What was brought into the gateway, as a person would type it. */
  readonly rulesText: string[] = [];
  /** What passed the gateway, if it is watched. */
  readonly packets: string[] = [];
  /** The tool that brought the rules in. */
  tool: RuleTool | null = null;
  rules: readonly Rule[] = [];
  readonly #tools: readonly RuleTool[];
  readonly #sockets: number[] = [];
  #control: string | null = null;
  #watch: PacketWatch | null = null;

  /** @throws {LabError} */
  constructor(native: Native, lab: Lab, tools: readonly RuleTool[], tampering: Tampering = {}) {
    this.native = native;
    this.lab = lab;
    this.#tools = tools;
    this.tampering = tampering;
  }

  /** @throws {LabError} where packets cannot be watched */
  watch(): void {
    this.#watch = new PacketWatch(this.native, this.lab.gateway);
  }

  /** Takes what has passed so far, under the heading that says what it was. */
  notePackets(heading: string): void {
    const lines = this.#watch?.read() ?? [];
    if (lines.length > 0) this.packets.push(`${heading}:`, ...lines);
  }

  /** Writes a step down under a name that a reader knows; in a control, as one that is meant to fail. */
  note(step: Step, target: string, detail = step.detail): Step {
    const lack = this.#control;
    const noted = { ...step, target, detail: lack === null ? detail : `control: ${detail || lack}` };
    this.steps.push(noted);
    return noted;
  }

  /** The same traffic without what makes it work; `lack` names it. */
  async control(lack: string, body: () => Promise<void>): Promise<void> {
    await this.tampering.beforeControl?.(this.lab);
    this.#control = lack;
    await body();
    this.#control = null;
  }

  /** @throws {LabError} when the step failed */
  must(step: Step, target: string, detail = step.detail): Step {
    const noted = this.note(step, target, detail);
    if (step.errorName !== null) throw new LabError(`${said(noted)}`, noted);
    return noted;
  }

  /** A descriptor that is closed with the stage. */
  open(host: LabHost, family: 4 | 6, protocol: Protocol): number {
    const { fd, steps } = this.native.openSocket(family, protocol, host.netns);
    const step = steps.at(-1);
    if (fd === null || step === undefined) throw new LabError(`${said(step)} in ${host.name}`, step);
    this.keep(fd);
    return fd;
  }

  keep(fd: number): void {
    this.#sockets.push(fd);
  }

  /** The mechanism's own socket options, before bind: the very code that listen-test and spoof-connect use. */
  prepare(fd: number, question: Question, who: string): void {
    if (this.tampering.withoutOption) return;
    for (const step of this.native.prepare('tproxy4', fd, question).steps)
      this.must(step, `${who}: ${step.target}`);
  }

  listen(
    name: string,
    host: LabHost,
    at: Endpoint,
    protocol: Protocol,
    question: Question | null = null,
  ): Listener {
    const fd = this.open(host, at.family, protocol);
    if (question !== null) this.prepare(fd, question, name);
    const place = `${name} ${formatEndpoint(at)} ${protocol}`;
    this.must(this.native.bind(fd, at), place);
    if (protocol === 'tcp') this.must(this.native.listen(fd, 8), place);
    const listener = { fd, host, name, at, protocol, prepared: question !== null };
    this.listeners.push(listener);
    return listener;
  }

  /**
   * Brings the rules into the gateway, with the first tool that the kernel lets do it.
   * @throws {LabError} when none could
   */
  async install(rules: readonly Rule[]): Promise<void> {
    this.rules = rules;
    this.notePackets('control');
    await this.#load(rules);
    this.rulesText.push(...spell(this.tool as RuleTool, rules));
    if (needsPolicyRoute(rules)) {
      for (const family of new Set(rules.map(familyOf))) {
        this.lab.gateway.run('ip', [`-${family}`, '-batch', '-'], `${POLICY_ROUTE.join('\n')}\n`);
        this.rulesText.push(...POLICY_ROUTE.map((line) => `ip -${family} ${line}`));
      }
      this.#ran('ip', 'policy route to this host for marked packets');
    }
    await this.tampering.afterRules?.(this.lab);
  }

  async #load(rules: readonly Rule[]): Promise<void> {
    const refusals: string[] = [];
    for (const tool of this.#tools) {
      try {
        await load(tool, this.lab.gateway, rules);
        this.tool = tool;
        this.#ran(tool.name, rules.map((rule) => rule.kind).join(', '));
        return;
      } catch (error) {
        if (!(error instanceof LabError)) throw error;
        refusals.push(error.message);
        this.note(
          { call: 'run', target: '', result: -1, errno: null, errorName: null, detail: error.message },
          tool.name,
        );
      }
    }
    throw new LabError(`the kernel takes the rules from no tool: ${refusals.join('; ')}`);
  }

  #ran(program: string, detail: string): void {
    this.note(
      { call: 'run', target: '', result: 0, errno: null, errorName: null, detail },
      `${program} in gateway`,
    );
  }

  /**
   * Compares an address by all that it has: address, port and family.
   * @throws {ProofFailed} when it is another one
   */
  expect(what: string, seen: Endpoint | null, expected: Endpoint): void {
    const same =
      seen !== null &&
      seen.address === expected.address &&
      seen.port === expected.port &&
      seen.family === expected.family;
    const text = seen === null ? 'nothing' : formatEndpoint(seen);
    const detail = same ? `is ${text}` : `is ${text}, not ${formatEndpoint(expected)}`;
    this.note(
      { call: 'compare', target: '', result: same ? 0 : -1, errno: null, errorName: null, detail },
      what,
    );
    if (!same) throw new ProofFailed('wrong-address', `${what} ${detail}`);
  }

  /** The first of these sockets to be ready. Looks again and again, so that other proofs go on meanwhile. */
  async ready(
    fds: readonly number[],
    events: 'read' | 'write',
    milliseconds: number,
  ): Promise<number | null> {
    const end = performance.now() + milliseconds;
    for (;;) {
      const [first] = this.native.poll([...fds], events, 0);
      if (first !== undefined) return first;
      if (performance.now() > end) return null;
      await sleep(1);
    }
  }

  close(): void {
    this.#watch?.close();
    for (const fd of this.#sockets) this.native.close(fd);
    this.lab.close();
  }
}
