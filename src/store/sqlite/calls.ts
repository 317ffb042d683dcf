import type { Cost } from '../../call/cost.ts';
import type { CallId } from '../../call/words.ts';
import type { CallChange, CallRecord, NewCall, Room } from '../store.ts';
import type { Database, Row } from './database.ts';
import { StoreRefusal } from './failure.ts';
import { countLiveCalls, renewLease } from './leases.ts';
import { hashOfKey } from './purge.ts';
import type { Asker, Created, Earlier, Operations } from './requests.ts';

const RECORD = `
  SELECT calls.*, (SELECT count(*) FROM lines WHERE lines.call_id = calls.call_id) AS line_count FROM calls`;

type CallOperations = Pick<Operations, 'createCall' | 'placedUnder' | 'updateCall' | 'call' | 'calls' | 'callsTo'>;

/** The operations on calls; those that write run inside a transaction that holds the write lock. */
export function callOperations(database: Database): CallOperations {
  return {
    createCall: (call, asker, room) => createCall(database, call, asker, room),
    placedUnder: (idempotencyKey, fingerprint) => placedUnder(database, idempotencyKey, fingerprint),
    updateCall: (callId, change) => updateCall(database, callId, change),
    call: (callId) => {
      const row = database.first(`${RECORD} WHERE call_id = ?`, callId);
      return row ? toRecord(row) : null;
    },
    calls: ({ state, limit, before }) => {
      const beforePosition = before ?? Number.MAX_SAFE_INTEGER;
      const rows =
        state === undefined
          ? database.all(`${RECORD} WHERE position < ? ORDER BY position DESC LIMIT ?`, beforePosition, limit)
          : database.all(
              `${RECORD} WHERE state = ? AND position < ? ORDER BY position DESC LIMIT ?`,
              state,
              beforePosition,
              limit,
            );
      return rows.map(toRecord);
    },
    callsTo: ({ carrier, to, fromMs, untilMs }) =>
      database
        .all(
          `${RECORD} WHERE created_at_ms BETWEEN ? AND ? AND to_number = ? AND carrier = ? ORDER BY created_at_ms, position`,
          fromMs,
          untilMs,
          to,
          carrier,
        )
        .map(toRecord),
  };
}

function createCall(database: Database, call: NewCall, asker: Asker, room: Room | undefined): Created {
  // The write lock is held, so no other process can come between the look and the insert; the unique index is the backstop.
  const earlier = call.idempotencyKey === null ? null : placedUnder(database, call.idempotencyKey, call.fingerprint);
  if (earlier) return earlier;
  const full = room && fullness(database, asker, room);
  if (full) return { status: full, callId: call.callId };
  // Without a lease the call would count as stranded from its first moment.
  renewLease(database, asker);
  database.run(
    `INSERT INTO calls (call_id, lease_id, idempotency_key, fingerprint, carrier, to_number, context, language, voice, model, transcription_model, simulated, inbound, carrier_call_id, state, created_at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?)`,
    call.callId,
    asker.holder.leaseId,
    call.idempotencyKey,
    call.fingerprint,
    call.carrier,
    call.to,
    call.context,
    call.language,
    call.voice,
    call.model,
    call.transcriptionModel,
    call.simulated ? 1 : 0,
    call.inbound ? 1 : 0,
    call.carrierCallId ?? null,
    call.createdAtMs,
  );
  return { status: 'created', callId: call.callId };
}

function placedUnder(database: Database, idempotencyKey: string, fingerprint: string): Earlier | null {
  const earlier = database.first('SELECT call_id, fingerprint FROM calls WHERE idempotency_key = ?', idempotencyKey);
  if (!earlier) return purgedUnder(database, idempotencyKey);
  return { status: earlier.fingerprint === fingerprint ? 'existing' : 'conflict', callId: earlier.call_id as CallId };
}

function purgedUnder(database: Database, idempotencyKey: string): Earlier | null {
  const purged = database.first('SELECT call_id FROM spent_keys WHERE key_hash = ?', hashOfKey(idempotencyKey));
  return purged ? { status: 'purged', callId: purged.call_id as CallId } : null;
}

function fullness(database: Database, asker: Asker, room: Room): 'full-live' | 'full-recent' | null {
  if (countLiveCalls(database, asker) >= room.live) return 'full-live';
  const recent = database.first(
    'SELECT count(*) AS calls FROM calls WHERE created_at_ms >= ? AND inbound = 0',
    room.recentSinceMs,
  );
  return Number(recent?.calls) >= room.recent ? 'full-recent' : null;
}

/** A field that the change does not name stays as it is. An ended call stays ended, whatever arrives late. */
function updateCall(database: Database, callId: CallId, change: CallChange): void {
  const touched = database.run(
    `UPDATE calls SET
       state = CASE WHEN state = 'ended' THEN state ELSE coalesce(?, state) END,
       carrier_call_id = coalesce(?, carrier_call_id),
       answered_at_ms = coalesce(answered_at_ms, ?),
       ended_at_ms = coalesce(?, ended_at_ms),
       outcome = coalesce(?, outcome),
       reason = coalesce(?, reason),
       result = CASE WHEN ? THEN ? ELSE result END,
       cost = coalesce(cost, ?)
     WHERE call_id = ?`,
    change.state ?? null,
    change.carrierCallId ?? null,
    change.answeredAtMs ?? null,
    change.endedAtMs ?? null,
    change.outcome ?? null,
    change.reason ?? null,
    change.result === undefined ? 0 : 1,
    change.result ?? null,
    change.cost === undefined ? null : JSON.stringify(change.cost),
    callId,
  );
  if (touched === 0) throw unknownCall();
}

export function unknownCall(): StoreRefusal {
  return new StoreRefusal({
    kind: 'upstream',
    message: 'The store knows no call with this id.',
    retryable: false,
    code: 'unknown-call',
  });
}

function toRecord(row: Row): CallRecord {
  return {
    callId: row.call_id as CallId,
    position: Number(row.position),
    carrier: String(row.carrier),
    carrierCallId: row.carrier_call_id as string | null,
    to: String(row.to_number),
    context: String(row.context),
    language: String(row.language),
    voice: String(row.voice),
    model: row.model as string | null,
    transcriptionModel: row.transcription_model as string | null,
    simulated: row.simulated === 1,
    inbound: row.inbound === 1,
    state: row.state as CallRecord['state'],
    outcome: row.outcome as CallRecord['outcome'],
    reason: row.reason as string | null,
    result: row.result as string | null,
    createdAtMs: Number(row.created_at_ms),
    answeredAtMs: row.answered_at_ms as number | null,
    endedAtMs: row.ended_at_ms as number | null,
    lineCount: Number(row.line_count),
    cost: row.cost === null ? null : (JSON.parse(String(row.cost)) as Cost),
  };
}
