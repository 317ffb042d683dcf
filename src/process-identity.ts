import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process, told apart from a later one with the same pid by its start. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** The kernel's own mark of the process's start; null where it cannot be read. */
  readonly processStarted: string | null;
}

export function thisProcess(): ProcessIdentity {
  return { host: hostname(), pid: process.pid, processStarted: processStart(process.pid) };
}

/** When the process started, in the kernel's ticks since boot; null where there is no /proc, or no such process. */
export function processStart(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // proc_pid_stat(5): field 22; the second field, the name, may hold spaces and parentheses.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

/** False only when it is certain that the process is gone: a process of another machine cannot be seen from here. */
export function mayBeAlive(identity: ProcessIdentity): boolean {
  if (identity.host !== hostname()) return true;
  if (!isRunning(identity.pid)) return false;
  const started = processStart(identity.pid);
  return identity.processStarted === null || started === null || started === identity.processStarted;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
