/** Processes and the sockets that they hold, out of /proc. Source: proc(5). */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** A process's handle on a socket. */
export interface SocketHandle {
  pid: number;
  fd: number;
  inode: number;
}

/** What /proc showed, and what it kept back. */
export interface HandleListing {
  handles: SocketHandle[];
  /** Processes whose descriptors may not be read by this user. */
  hidden: number[];
}

export function allProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number);
}

export function processExists(pid: number): boolean {
  return commandName(pid) !== null;
}

/** The kernel's name of a process (at most 15 characters), null when it is gone. */
export function commandName(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
  } catch {
    return null;
  }
}

/** Direct children; empty also where the kernel does not list them (CONFIG_PROC_CHILDREN). */
export function childrenOf(pid: number): number[] {
  try {
    const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return list === '' ? [] : list.split(' ').map(Number);
  } catch {
    return [];
  }
}

/** Processes called `name`: by comm, or by the file name of their program as they were started. */
export function processesNamed(name: string): number[] {
  return allProcesses().filter(
    (pid) => pid !== process.pid && (commandName(pid) === name || programName(pid) === name),
  );
}

function programName(pid: number): string | null {
  try {
    const [program = ''] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return program === '' ? null : basename(program);
  } catch {
    return null;
  }
}

/** The socket descriptors of some processes. Another user's are hidden unless root asks. */
export function socketHandles(pids: readonly number[]): HandleListing {
  const handles: SocketHandle[] = [];
  const hidden: number[] = [];
  for (const pid of pids) {
    try {
      for (const name of readdirSync(`/proc/${pid}/fd`)) {
        const inode = socketInode(`/proc/${pid}/fd/${name}`);
        if (inode !== null) handles.push({ pid, fd: Number(name), inode });
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EACCES' || code === 'EPERM') hidden.push(pid);
    }
  }
  return { handles, hidden };
}

function socketInode(path: string): number | null {
  try {
    const match = /^socket:\[([0-9]+)\]$/.exec(readlinkSync(path));
    return match === null ? null : Number(match[1]);
  } catch {
    return null;
  }
}
