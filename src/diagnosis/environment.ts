/** The system runs in something that changes what interception can do, or hides who connects. */

import { type EnvironmentName, readEnvironments } from '../host/environment.ts';
import { commandName, processesNamed } from '../host/processes.ts';
import type { Check, Problem, Severity } from './finding.ts';
import { problem, type Situation } from './situation.ts';

const MEANING: Record<EnvironmentName, { severity: Severity; cause: string; remedy: string }> = {
  gvisor: {
    severity: 'warning',
    cause:
      'This system runs in gVisor, whose own network stack answers in Linux’s place and has only part of netfilter.',
    remedy: 'docker run --runtime=runc …   # run the proxy with the host’s kernel',
  },
  wsl2: {
    severity: 'info',
    cause:
      'This system runs in WSL2: connections of Windows programs do not pass its rules, and its kernel may lack TPROXY.',
    remedy: 'origdst capabilities   # shows what this kernel has',
  },
  kubernetes: {
    severity: 'info',
    cause:
      'This is a Kubernetes pod: rules of the node and of its other pods are in other namespaces, and take effect there.',
    remedy: 'origdst doctor   # on the node as well, and in the client’s pod',
  },
  docker: {
    severity: 'info',
    cause:
      'This is a Docker container: rules of the host are in another namespace, and cannot be seen from here.',
    remedy:
      'docker run --cap-add NET_ADMIN …   # what a transparent proxy needs; or --network host to see the host’s rules',
  },
  podman: {
    severity: 'info',
    cause:
      'This is a Podman container: rules of the host are in another namespace, and cannot be seen from here.',
    remedy:
      'podman run --cap-add NET_ADMIN …   # what a transparent proxy needs; or --network host to see the host’s rules',
  },
  lxc: {
    severity: 'info',
    cause:
      'This is an LXC container: rules of the host are in another namespace, and cannot be seen from here.',
    remedy: 'origdst doctor   # on the host as well',
  },
  container: {
    severity: 'info',
    cause: 'This is a container: rules of the host are in another namespace, and cannot be seen from here.',
    remedy: 'origdst doctor   # on the host as well',
  },
  'user-namespace': {
    severity: 'info',
    cause:
      'This is a user namespace (rootless): its capabilities are good for the network namespaces that it owns only.',
    remedy: 'sudo origdst doctor   # in the initial namespace, for the host’s own network',
  },
};

export const environment: Check<Situation> = {
  name: 'environment',
  run(situation) {
    const around = readEnvironments().map(({ name, step }): Problem => {
      const { severity, cause, remedy } = MEANING[name];
      return problem(`environment-${name}`, severity, null, { cause, remedy, evidence: [step] });
    });
    return [...around, ...dockerProxy(situation)];
  },
};

/** docker-proxy(1) accepts and connects itself: what is behind it sees its address, not the client's. */
function dockerProxy({ port, socketSteps }: Situation): Problem[] {
  const pids = processesNamed('docker-proxy');
  if (port === undefined || pids.length === 0) return [];
  return [
    problem('docker-proxy', 'info', null, {
      cause: `docker-proxy runs (${pids.map((pid) => `${commandName(pid)}[${pid}]`).join(', ')}): connections to published ports that come through it have its source address.`,
      remedy: 'docker run --network host …   # or "userland-proxy": false in /etc/docker/daemon.json',
      evidence: socketSteps,
    }),
  ];
}
