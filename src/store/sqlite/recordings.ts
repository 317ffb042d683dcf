import type { CallId } from '../../call/words.ts';
import type { Recording } from '../store.ts';
import { unknownCall } from './calls.ts';
import type { Database, Row } from './database.ts';
import type { Operations } from './requests.ts';

/** Which recordings there are of which call; the sound itself is in files, or with the carrier. */
export function recordingOperations(database: Database): Pick<Operations, 'putRecording' | 'recordings'> {
  return {
    putRecording: (recording) => {
      if (!database.first('SELECT 1 AS found FROM calls WHERE call_id = ?', recording.callId)) throw unknownCall();
      putRecording(database, recording);
    },
    recordings: ({ callId, goingOn, limit }) => {
      if (callId !== undefined)
        return database
          .all('SELECT * FROM recordings WHERE call_id = ? ORDER BY started_at_ms DESC, kind LIMIT ?', callId, limit)
          .map(toRecording);
      const where = goingOn === true ? "WHERE state = 'recording'" : '';
      return database
        .all(`SELECT * FROM recordings ${where} ORDER BY started_at_ms DESC, kind LIMIT ?`, limit)
        .map(toRecording);
    },
  };
}

/** A later state of the same recording takes the place of the one before; one that has ended does not begin again. */
function putRecording(database: Database, recording: Recording): void {
  database.run(
    `INSERT INTO recordings (call_id, kind, name, url, channels, bytes, duration_ms, state, reason, started_at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (call_id, kind, name) DO UPDATE SET
       url = coalesce(excluded.url, url), channels = excluded.channels, bytes = coalesce(excluded.bytes, bytes),
       duration_ms = coalesce(excluded.duration_ms, duration_ms), state = excluded.state, reason = excluded.reason
     WHERE state = 'recording' OR excluded.state <> 'recording'`,
    recording.callId,
    recording.kind,
    recording.name,
    recording.url,
    recording.channels,
    recording.bytes,
    recording.durationMs,
    recording.state,
    recording.reason,
    recording.startedAtMs,
  );
}

function toRecording(row: Row): Recording {
  return {
    callId: row.call_id as CallId,
    kind: row.kind as Recording['kind'],
    name: String(row.name),
    url: row.url as string | null,
    channels: Number(row.channels),
    bytes: row.bytes as number | null,
    durationMs: row.duration_ms as number | null,
    state: row.state as Recording['state'],
    reason: row.reason as string | null,
    startedAtMs: Number(row.started_at_ms),
  };
}
