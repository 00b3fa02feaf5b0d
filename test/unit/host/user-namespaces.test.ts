/** Who forbids user namespaces: each party is told from the others. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainRefusal, type UserNamespaceSettings } from '../../../src/host/user-namespaces.ts';
import type { Step } from '../../../src/verdict.ts';

const OPEN: UserNamespaceSettings = {
  maximum: 15000,
  unprivilegedClone: null,
  apparmorRestricts: null,
  seccomp: null,
  container: null,
};

function says(call: string, target: string, errorName: string | null): Step {
  return { call, target, result: errorName === null ? 0 : -1, errno: null, errorName, detail: '' };
}

const refused = (errorName: string) => [says('unshare', 'CLONE_NEWUSER', errorName)];
/** As on Ubuntu: the namespace is made, but without capabilities in it. */
const powerless = [
  says('unshare', 'CLONE_NEWUSER', null),
  says('write', '/proc/self/uid_map', 'EPERM'),
  says('unshare', 'CLONE_NEWNET', 'EPERM'),
];

const CASES: [string, Step[], Partial<UserNamespaceSettings>, string, RegExp][] = [
  ['the limit is 0', refused('ENOSPC'), { maximum: 0 }, 'sysctl-max-user-namespaces', /says ENOSPC/],
  ['the limit is reached', refused('ENOSPC'), {}, 'limit-reached', /max_net_namespaces/],
  ['the limit on old kernels', refused('EUSERS'), {}, 'limit-reached', /says EUSERS/],
  [
    'Debian’s switch',
    refused('EPERM'),
    { unprivilegedClone: 0 },
    'sysctl-unprivileged-userns-clone',
    /says EPERM/,
  ],
  ['AppArmor', powerless, { apparmorRestricts: 1 }, 'apparmor', /write \/proc\/self\/uid_map says EPERM/],
  ['Docker', refused('EPERM'), { seccomp: 2, container: 'Docker' }, 'seccomp', /most likely of Docker/],
  ['a service', refused('EPERM'), { seccomp: 2 }, 'seccomp', /container or service/],
  ['no kernel support', refused('EINVAL'), {}, 'no-user-namespaces', /built without/],
  ['nobody knows', refused('EPERM'), {}, 'forbidden', /no setting that could be read/],
];

for (const [name, steps, settings, reason, cause] of CASES) {
  test(`user namespaces are forbidden: ${name}`, () => {
    const refusal = explainRefusal(steps, { ...OPEN, ...settings });
    assert.equal(refusal?.reason, reason);
    assert.match(refusal?.cause ?? '', cause);
    assert.notEqual(refusal?.remedy, '');
  });
}

test('where all steps succeed nothing is forbidden, whatever the settings say', () => {
  assert.equal(
    explainRefusal([says('unshare', 'CLONE_NEWUSER', null)], { ...OPEN, apparmorRestricts: 1, seccomp: 2 }),
    null,
  );
});
