import { hostname } from 'node:os';
import type { CallId } from '../call/words.ts';
import { mayBeAlive, type ProcessIdentity, thisProcess } from '../process-identity.ts';

/** A file of what the store could not take of one call: which, and who writes it. */
export interface RescueFile {
  readonly name: string;
  readonly callId: CallId;
  /** Null in a name of old, which has the pid alone. */
  readonly writer: ProcessIdentity | null;
  readonly pid: number;
}

/** call.pid.start.host.jsonl; the host's name in base64url, as it may hold anything, and `-` for a start that is not known. */
const NAME = /^([0-9a-f-]{36})\.(\d+)(?:\.(\d+|-)\.([\w-]+))?\.jsonl$/;
/** Longer than a process that lives leaves its files untouched. */
const ABANDONED_MS = 600_000;

export function rescueFileName(callId: CallId, writer: ProcessIdentity = thisProcess()): string {
  const host = Buffer.from(writer.host).toString('base64url') || '-';
  return `${callId}.${writer.pid}.${writer.processStarted ?? '-'}.${host}.jsonl`;
}

/** Null for the name of any other file. */
export function readRescueFileName(name: string): RescueFile | null {
  const [, callId, pidText, started, host] = NAME.exec(name) ?? [];
  if (callId === undefined) return null;
  const pid = Number(pidText);
  const writer =
    started === undefined || host === undefined
      ? null
      : {
          host: host === '-' ? '' : Buffer.from(host, 'base64url').toString(),
          pid,
          processStarted: started === '-' ? null : started,
        };
  return { name, callId: callId as CallId, writer, pid };
}

/**
 * Does nobody write this file any more? A process of this machine can be looked at; of another one (or container), and of one whose
 * start is not known, only the file tells, which a living writer touches every now and then.
 */
export function isAbandoned(file: RescueFile, untouchedMs: number): boolean {
  // In a name of old our own pid is that of a process before us.
  if (file.writer === null && file.pid === process.pid) return true;
  const writer = file.writer ?? { host: hostname(), pid: file.pid, processStarted: null };
  if (!mayBeAlive(writer)) return true;
  const canBeSeen = writer.host === hostname() && writer.processStarted !== null;
  return !canBeSeen && untouchedMs > ABANDONED_MS;
}
