import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ConfigError } from '../../errors.ts';
import { describeFailure } from './failure.ts';

export interface OwnerLock {
  release(): void;
}

/** A connection that nobody refers to would be collected, and its lock with it. */
const held = new Set<DatabaseSync>();

/**
 * At most one process has it: the one that owns the telephone of this data folder. It is SQLite's own lock on a file (a transaction
 * that never ends), so it goes with the process, whatever ends that, and needs no rule for when a lock is stale. Null when another
 * process has it.
 * @throws ConfigError when the folder cannot be used.
 */
export function tryOwnerLock(dataDir: string): OwnerLock | null {
  let connection: DatabaseSync | null = null;
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const path = join(dataDir, 'owner.lock');
    // Only where it is missing: to close any descriptor of it would end this process's own lock (fcntl(2)).
    if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
    connection = new DatabaseSync(path, { timeout: 0 });
    connection.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    connection?.close();
    if (isBusy(error)) return null;
    throw new ConfigError(
      `DATA_DIR (${dataDir}) cannot be used: ${describeFailure(error).detail}. Make it writable for this user, or set another one.`,
      { cause: error, settings: ['DATA_DIR'] },
    );
  }
  const holder = connection;
  held.add(holder);
  return {
    release: () => {
      if (held.delete(holder)) holder.close();
    },
  };
}

/** SQLITE_BUSY, with its extended codes. */
function isBusy(error: unknown): boolean {
  return (
    error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === 5
  );
}
