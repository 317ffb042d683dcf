import { createHash } from 'node:crypto';
import type { CallId } from '../../call/words.ts';
import type { Database } from './database.ts';
import type { Operations } from './requests.ts';

type PurgeOperations = Pick<Operations, 'purgeable' | 'purgeCalls' | 'scrub'>;

/** What is forgotten of old calls, and how their words leave the file. */
export function purgeOperations(database: Database): PurgeOperations {
  return {
    purgeable: ({ endedBeforeMs, limit }) =>
      database
        .all(
          "SELECT call_id FROM calls WHERE state = 'ended' AND coalesce(ended_at_ms, created_at_ms) < ? ORDER BY position LIMIT ?",
          endedBeforeMs,
          limit,
        )
        .map((row) => row.call_id as CallId),
    purgeCalls: (callIds, { nowMs, keepKeysUntilMs }) => {
      database.run('DELETE FROM spent_keys WHERE forget_at_ms < ?', nowMs);
      return callIds.filter((callId) => purgeCall(database, callId, keepKeysUntilMs));
    },
    scrub: () => scrub(database),
  };
}

/** The form in which the key of a purged call is kept. */
export function hashOfKey(idempotencyKey: string): string {
  return createHash('sha256').update(`idempotency key\n${idempotencyKey}`).digest('hex');
}

/** False, and nothing happens, when the call has not ended. */
function purgeCall(database: Database, callId: CallId, keepKeyUntilMs: number): boolean {
  const call = database.first("SELECT idempotency_key FROM calls WHERE call_id = ? AND state = 'ended'", callId);
  if (!call) return false;
  if (typeof call.idempotency_key === 'string') {
    database.run(
      'INSERT OR REPLACE INTO spent_keys (key_hash, call_id, forget_at_ms) VALUES (?, ?, ?)',
      hashOfKey(call.idempotency_key),
      callId,
      keepKeyUntilMs,
    );
  }
  for (const { table, column } of tablesOfCalls(database))
    database.run(`DELETE FROM "${table}" WHERE "${column}" = ?`, callId);
  database.run('DELETE FROM calls WHERE call_id = ?', callId);
  return true;
}

/** Every table that refers to calls, also those that are added later. */
function tablesOfCalls(database: Database): readonly { readonly table: string; readonly column: string }[] {
  return database
    .all(
      `SELECT tables.name AS name, keys."from" AS from_column FROM sqlite_schema AS tables, pragma_foreign_key_list(tables.name) AS keys
       WHERE tables.type = 'table' AND keys."table" = 'calls'`,
    )
    .map((row) => ({ table: String(row.name), column: String(row.from_column) }));
}

/**
 * Gives back the space of what was deleted and empties the write-ahead log, in which its pages still stand as they were. What is
 * deleted is overwritten (`secure_delete`). False when another process was reading meanwhile, so that the log could not be emptied.
 */
function scrub(database: Database): boolean {
  if (Number(database.first('PRAGMA auto_vacuum')?.auto_vacuum) === 0) {
    // A file from before this: once, all of it is written anew.
    database.exec("INSERT INTO line_words (line_words) VALUES ('optimize')");
    database.exec('PRAGMA auto_vacuum = INCREMENTAL; VACUUM');
  } else {
    database.exec('PRAGMA incremental_vacuum');
  }
  return Number(database.first('PRAGMA wal_checkpoint(TRUNCATE)')?.busy) === 0;
}
