import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoreLook } from '../store.ts';
import { MIGRATIONS } from './migrations/migrations.ts';

/**
 * Reads the store beside a server that may be running on it, and changes nothing: the connection is read-only, and in WAL mode a
 * reader holds nobody up (sqlite.org/wal.html). `PRAGMA quick_check` reads every page, about a second for each gigabyte. Never rejects.
 */
export async function examineSqliteStore({
  dataDir,
  file = 'switchboard.sqlite',
}: {
  dataDir: string;
  file?: string;
}): Promise<StoreLook> {
  const path = join(dataDir, file);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error.code ?? 'unknown');
  if (found === 'ENOENT') return { kind: 'absent' };
  if (typeof found === 'string') return { kind: 'unreadable', detail: found };
  if (found.size === 0) return { kind: 'absent' };
  try {
    // Loaded late: Node 22 prints a warning when it is loaded, which belongs to nobody who does not ask for this.
    const { DatabaseSync } = await import('node:sqlite');
    const connection = new DatabaseSync(path, { readOnly: true });
    try {
      connection.exec('PRAGMA busy_timeout = 2000');
      const verdict = String(connection.prepare('PRAGMA quick_check(1)').get()?.quick_check ?? '');
      if (verdict !== 'ok') return { kind: 'damaged', detail: verdict };
      const schema = Number(connection.prepare('PRAGMA user_version').get()?.user_version ?? 0);
      const current = MIGRATIONS.length;
      const calls = schema === 0 ? 0 : Number(connection.prepare('SELECT count(*) AS n FROM calls').get()?.n ?? 0);
      const kind = schema === current ? 'sound' : schema < current ? 'older' : 'newer';
      return { kind, calls, schema, current };
    } finally {
      connection.close();
    }
  } catch (error) {
    const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
    // SQLITE_CORRUPT and SQLITE_NOTADB, sqlite.org/rescode.html.
    return {
      kind: code === 11 || code === 26 ? 'damaged' : 'unreadable',
      detail: error instanceof Error ? error.message : 'unknown',
    };
  }
}
