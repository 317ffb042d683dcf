import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Holder } from './requests.ts';

/** The lease holder that this process is. */
export function thisProcess(leaseId: string): Holder {
  return { leaseId, host: hostname(), pid: process.pid, processStarted: processStart(process.pid) };
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

/** False only when it is certain that the holder's process is gone: a process of another machine cannot be seen from here. */
export function mayBeAlive(holder: Omit<Holder, 'leaseId'>): boolean {
  if (holder.host !== hostname()) return true;
  if (!isRunning(holder.pid)) return false;
  const started = processStart(holder.pid);
  return holder.processStarted === null || started === null || started === holder.processStarted;
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
