/** May an ordinary user make user namespaces here, and if not: who forbids it? Source: user_namespaces(7). */

import { existsSync, readFileSync } from 'node:fs';
import { said } from '../conclusion.ts';
import type { Step } from '../verdict.ts';

/** What the host's settings say; null where the kernel has no such setting. */
export interface UserNamespaceSettings {
  /** user.max_user_namespaces */
  maximum: number | null;
  /** kernel.unprivileged_userns_clone: a patch of Debian, Ubuntu and Arch. */
  unprivilegedClone: number | null;
  /** kernel.apparmor_restrict_unprivileged_userns: Ubuntu from 23.10 on. */
  apparmorRestricts: number | null;
  /** Seccomp of /proc/self/status: 2 is a filter. */
  seccomp: number | null;
  /** `Docker`, `Podman`, or null outside a container that can be told. */
  container: string | null;
}

export interface Refusal {
  /** Stable word for scripts. */
  reason: string;
  cause: string;
  remedy: string;
}

export function readSettings(): UserNamespaceSettings {
  const status = readText('/proc/self/status') ?? '';
  return {
    maximum: readNumber('/proc/sys/user/max_user_namespaces'),
    unprivilegedClone: readNumber('/proc/sys/kernel/unprivileged_userns_clone'),
    apparmorRestricts: readNumber('/proc/sys/kernel/apparmor_restrict_unprivileged_userns'),
    seccomp: Number(/^Seccomp:\s*(\d)$/m.exec(status)?.[1] ?? Number.NaN) || null,
    container: existsSync('/.dockerenv') ? 'Docker' : existsSync('/run/.containerenv') ? 'Podman' : null,
  };
}

/** Why the steps of `tryUserNamespace` failed; null when they did not. */
export function explainRefusal(steps: readonly Step[], settings: UserNamespaceSettings): Refusal | null {
  const failed = steps.find((step) => step.errorName !== null);
  if (failed === undefined) return null;
  switch (failed.errorName) {
    // create_user_ns in kernel/user_namespace.c: ENOSPC is a limit, of depth or of number.
    case 'ENOSPC':
    case 'EUSERS':
      return overLimit(failed, settings);
    case 'EINVAL':
    case 'ENOSYS':
      return {
        reason: 'no-user-namespaces',
        cause: `This kernel was built without user namespaces: ${said(failed)}.`,
        remedy: 'a kernel with CONFIG_USER_NS and CONFIG_NET_NS, or run the same command as root (sudo)',
      };
    default:
      return forbidden(failed, settings);
  }
}

function overLimit(failed: Step, { maximum }: UserNamespaceSettings): Refusal {
  if (maximum === 0) {
    return {
      reason: 'sysctl-max-user-namespaces',
      cause: `The setting user.max_user_namespaces is 0, which forbids user namespaces to everybody: ${said(failed)}.`,
      remedy: 'sysctl -w user.max_user_namespaces=15000   # or run the same command as root (sudo)',
    };
  }
  return {
    reason: 'limit-reached',
    cause: `The limit of namespaces is reached (user.max_user_namespaces or user.max_net_namespaces, here or in a parent, or 32 levels deep): ${said(failed)}.`,
    remedy: 'sysctl user.max_user_namespaces user.max_net_namespaces   # and raise them',
  };
}

/** EPERM and EACCES: four parties can say so, and only one of them leaves the namespace but takes its powers. */
function forbidden(failed: Step, settings: UserNamespaceSettings): Refusal {
  if (settings.unprivilegedClone === 0) {
    return {
      reason: 'sysctl-unprivileged-userns-clone',
      cause: `The setting kernel.unprivileged_userns_clone is 0, which reserves user namespaces to root: ${said(failed)}.`,
      remedy: 'sysctl -w kernel.unprivileged_userns_clone=1   # or run the same command as root (sudo)',
    };
  }
  if (settings.apparmorRestricts === 1) {
    return {
      reason: 'apparmor',
      cause:
        'AppArmor (kernel.apparmor_restrict_unprivileged_userns=1) takes all capabilities away in a new user ' +
        `namespace, unless a profile allows the program: ${said(failed)}.`,
      remedy:
        'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0   # or a profile for node with the rule "userns,", or sudo',
    };
  }
  if (settings.seccomp === 2) {
    const whose = settings.container === null ? 'of a container or service' : `of ${settings.container}`;
    return {
      reason: 'seccomp',
      cause: `A seccomp filter (most likely ${whose}) forbids new namespaces: ${said(failed)}.`,
      remedy:
        'docker run --security-opt seccomp=unconfined --cap-add SYS_ADMIN --cap-add NET_ADMIN …   # systemd: RestrictNamespaces=no',
    };
  }
  return {
    reason: 'forbidden',
    cause: `New user namespaces are forbidden, and no setting that could be read says by whom (a security module, a chroot): ${said(failed)}.`,
    remedy: 'run the same command as root (sudo)',
  };
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function readNumber(path: string): number | null {
  const text = readText(path);
  return text === null ? null : Number(text);
}
