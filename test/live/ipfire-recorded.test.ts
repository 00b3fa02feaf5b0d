/**
 * Every getsockopt that was asked of the original IPFIRE module is asked again, with the same lengths, pointers and
 * kinds of socket:
 *
 * - of the emulation, which must answer, step for step and byte for byte, what the original answered;
 * - of this host's own kernel, which has CONFIG_IP_MROUTE, as the second kernel of the recording had.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { hostContext } from '../../src/host/context.ts';
import { requireNative } from '../../src/native.ts';
import type { Answer, How } from '../emulation/asker.ts';
import { Emulation } from '../emulation/emulation.ts';
import { isOption, type RecordedOption, type RecordedStep, readRecording } from '../emulation/recorded.ts';
import { clientPort, Scene } from '../emulation/scene.ts';

const native = requireNative();
const { steps } = readRecording();

const AS: Record<string, How> = {
  'lookup as uid 65534': 'nobody',
  'lookup from a new user and network namespace': 'stranger',
};

describe('the emulation answers what the original module answered', () => {
  let emulation: Emulation;
  let scene: Scene;
  before(async () => {
    emulation = await Emulation.start();
    await emulation.set('untracked', 1); // as the recorded kernel: CONFIG_NF_CONNTRACK=n
    scene = new Scene(native, emulation);
  });
  after(async () => {
    await scene?.close();
    await emulation?.stop();
  });

  for (const step of steps.filter(({ run }) => run !== 'mroute-y')) {
    if (isOption(step)) test(name(step), () => replay(step));
    else if (changesTheModule(step)) test(name(step), () => change(step));
  }

  async function replay(step: RecordedOption): Promise<void> {
    const descriptor = await scene.descriptor(step);
    await happen(scene, step, descriptor);
    if (step.note === 'about 14 s later') await emulation.forget();
    else await remember(step);
    const answer = await ask(scene, step, descriptor);
    // This kernel has connection tracking, and has answered SO_ORIGINAL_DST before the emulation takes it back.
    const wanted = expected(step);
    assert.deepEqual(answer, step.option === 80 ? { ...wanted, out: answer.out } : wanted);
    await assertNames(scene, step, descriptor);
  }

  /** The module's hook would have written the entry when the connection was redirected. */
  async function remember(step: RecordedOption): Promise<void> {
    const { local, decoded, out = '' } = step;
    if (decoded === undefined || local === undefined) return;
    const peer = step.peer ?? `192.168.0.3:${clientPort(step)}`;
    await emulation.flow({ peer, local, original: decoded, stale: out.slice(16, 32) });
  }

  async function change({ call }: RecordedStep): Promise<void> {
    if (call.startsWith('finit_module')) await emulation.set('ipfire', 1);
    else if (call.startsWith('delete_module')) await emulation.set('ipfire', 0);
    else if (call.includes('ADDRULE: direction PRE, protocol 6')) scene.loadRules();
    else if (call.includes('FLUSH')) scene.flushRules();
    else if (call === 'load, empty file') {
      await emulation.set('ipfire', 1);
      scene.loadRules();
      scene.lab.gateway.run('nft', ['add rule ip ipfire pre tcp dport 25 dnat to 192.168.0.1:8110']);
    }
  }
});

describe('this kernel has CONFIG_IP_MROUTE and answers as the recorded one', () => {
  let scene: Scene;
  before(() => {
    assert.equal(hostContext().kernelOption('CONFIG_IP_MROUTE'), 'y');
    scene = new Scene(native, null);
    scene.loadRules();
  });
  after(() => scene?.close());

  for (const step of steps.filter(({ run }) => run === 'mroute-y').filter(isOption)) {
    // It also has connection tracking and CONFIG_IPV6_MROUTE, which the recorded one had not.
    if (step.option === 80 || (step.level === 41 && step.domain === 10)) continue;
    test(name(step), async () => {
      const descriptor = await scene.descriptor(step);
      await happen(scene, step, descriptor);
      assert.deepEqual(await ask(scene, step, descriptor), expected(step));
    });
  }
});

/** What the recorder did to the connection before it asked. */
async function happen(scene: Scene, step: RecordedOption, descriptor: number): Promise<void> {
  const { asker } = scene;
  if (step.about === 'client sent FIN') {
    const { client } = await scene.redirected(40003, '193.70.192.70:110');
    await asker.must(`shut ${client}`);
  } else if (step.about === 'both sides shut down') await asker.must(`shut ${descriptor}`);
  else if (step.target.endsWith('reset by the client')) {
    const { client } = await scene.redirected(40030, '193.70.192.70:110');
    await asker.must(`reset ${client}`);
  } else if (step.target.endsWith('after IPV6_ADDRFORM'))
    await asker.must(`give ${descriptor} 41 1 02000000`);
  else if (step.target.startsWith('same descriptor')) await asker.enter(scene.lab.client);
}

function ask(scene: Scene, step: RecordedOption, descriptor: number): Promise<Answer> {
  const { level, option, length, how, about } = step;
  return scene.asker.get(descriptor, level, option, length, AS[about] ?? how);
}

function expected({ result, errorName, length, lengthOut, out, how }: RecordedOption): Answer {
  const untouched = 'aa'.repeat(Math.max(0, how === 'plain' ? length : 16));
  return { result, error: errorName ?? null, length: lengthOut ?? length, out: out ?? untouched };
}

/** The key of the module's table is the accepting side's name. */
async function assertNames(scene: Scene, step: RecordedOption, descriptor: number): Promise<void> {
  if (step.decoded === undefined) return;
  const { local, peer } = await scene.asker.names(descriptor);
  assert.equal(local, step.local);
  assert.equal(peer, step.peer ?? null);
}

function changesTheModule({ call }: RecordedStep): boolean {
  return /^finit_module|^delete_module|ADDRULE: direction PRE, protocol 6|FLUSH|^load, empty/.test(call);
}

function name({ id, about, call, target, ...step }: RecordedStep): string {
  const how = isOption({ id, about, call, target, ...step } as RecordedStep)
    ? `${(step as RecordedOption).option}, length ${(step as RecordedOption).length}, ${(step as RecordedOption).how}`
    : call;
  return `${id} ${about}: ${target}: ${how}`;
}
