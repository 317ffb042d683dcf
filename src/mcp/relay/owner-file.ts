import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { mayBeAlive } from '../../process-identity.ts';

/** Changes when a process of one version could not understand one of the other. */
export const RELAY_PROTOCOL = 1;

const fileSchema = z.object({
  protocol: z.number(),
  version: z.string(),
  /** `serve` has no client of its own and comes back after a restart. */
  kind: z.enum(['stdio', 'serve']),
  process: z.object({ host: z.string(), pid: z.number(), processStarted: z.string().nullable() }),
  /** On 127.0.0.1. */
  port: z.number().int().min(1).max(65_535),
  /** Proves to either side that the other one can read this file. */
  token: z.string().min(32),
});

/** How other processes of this user find the one that owns the telephone. */
export type OwnerFile = z.output<typeof fileSchema>;

/** The file holds a token, so it is for this user alone from its first byte on. */
export function writeOwnerFile(dataDir: string, owner: OwnerFile): void {
  const path = pathIn(dataDir);
  const draft = `${path}.${randomUUID()}`;
  try {
    writeFileSync(draft, `${JSON.stringify(owner)}\n`, { mode: 0o600, flag: 'wx' });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** Null when there is none, when it cannot be read, or when its process is certainly gone. */
export function readOwnerFile(dataDir: string): OwnerFile | null {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(pathIn(dataDir), 'utf8'));
  } catch {
    return null;
  }
  const { success, data } = fileSchema.safeParse(value);
  return success && mayBeAlive(data.process) ? data : null;
}

/** The owner for a sentence that begins with it. */
export function ownerWords(dataDir: string): string {
  const owner = readOwnerFile(dataDir);
  return `Another Switchboard process${owner === null ? '' : ` (pid ${owner.process.pid})`}`;
}

/** Leaves the file of a successor alone. */
export function removeOwnerFile(dataDir: string, token: string): void {
  if (readOwnerFile(dataDir)?.token === token) rmSync(pathIn(dataDir), { force: true });
}

function pathIn(dataDir: string): string {
  return join(dataDir, 'owner.json');
}
