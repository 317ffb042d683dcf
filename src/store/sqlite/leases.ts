import type { CallId, Outcome } from '../../call/words.ts';
import { mayBeAlive } from '../../process-identity.ts';
import type { Stranded } from '../store.ts';
import type { Database } from './database.ts';
import type { Asker, Operations } from './requests.ts';

type LeaseOperations = Pick<
  Operations,
  'heartbeat' | 'claimStranded' | 'markStranded' | 'endStranded' | 'releaseLease'
>;

/** Which process is responsible for which calls, and what becomes of them when it is gone. */
export function leaseOperations(database: Database): LeaseOperations {
  return {
    heartbeat: (asker) => renewLease(database, asker),
    claimStranded: (asker, carrier, reason) => claimStranded(database, asker, carrier, reason),
    markStranded: (asker, reason) => markStranded(database, asker, reason),
    endStranded: (asker, callId, end) => endStranded(database, asker, callId, end),
    releaseLease: (leaseId) => void database.run('DELETE FROM leases WHERE lease_id = ?', leaseId),
  };
}

/** How many calls that have not ended belong to a process that lives. */
export function countLiveCalls(database: Database, asker: Asker): number {
  const dead = new Set(deadLeases(database, asker));
  return database
    .all(
      `SELECT lease_id, count(*) AS calls FROM calls
       WHERE state <> 'ended' AND lease_id IN (SELECT lease_id FROM leases) GROUP BY lease_id`,
    )
    .filter((row) => !dead.has(String(row.lease_id)))
    .reduce((sum, row) => sum + Number(row.calls), 0);
}

/** Puts the lease back as well: another process may have taken a sleeping one for dead. */
export function renewLease(database: Database, asker: Asker): void {
  const { holder, nowMs } = asker;
  // The others slept with us, or the clock has jumped: from now on it can be told who does not beat any more, and not before.
  if (hasSlept(database, asker))
    database.run('UPDATE leases SET heartbeat_at_ms = ? WHERE heartbeat_at_ms < ?', nowMs, nowMs);
  database.run(
    `INSERT INTO leases (lease_id, host, pid, process_started, heartbeat_at_ms) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (lease_id) DO UPDATE SET heartbeat_at_ms = excluded.heartbeat_at_ms`,
    holder.leaseId,
    holder.host,
    holder.pid,
    holder.processStarted,
    nowMs,
  );
}

/** Which calls nobody looks after, as a condition in SQL; to be asked after `buryLeases`. */
const IS_STRANDED = `state <> 'ended' AND lease_id NOT IN (SELECT lease_id FROM leases)`;

/** Runs under the write lock, so each call is given to one process only. A claim is a lease: it ends with the process. */
function claimStranded(database: Database, asker: Asker, carrier: string, reason: string): readonly Stranded[] {
  buryLeases(database, asker);
  const rows = database.all(
    `UPDATE calls SET lease_id = ?, state = 'ending', reason = ? WHERE ${IS_STRANDED} AND carrier = ?
     RETURNING call_id, carrier_call_id, to_number, created_at_ms`,
    asker.holder.leaseId,
    reason,
    carrier,
  );
  return rows.map((row) => ({
    callId: row.call_id as CallId,
    carrierCallId: row.carrier_call_id as string | null,
    to: String(row.to_number),
    createdAtMs: Number(row.created_at_ms),
  }));
}

function markStranded(database: Database, asker: Asker, reason: string): readonly CallId[] {
  buryLeases(database, asker);
  return database
    .all(
      `UPDATE calls SET state = 'ending', reason = ? WHERE ${IS_STRANDED} AND (state <> 'ending' OR reason IS NOT ?)
       RETURNING call_id`,
      reason,
      reason,
    )
    .map((row) => row.call_id as CallId);
}

function endStranded(
  database: Database,
  asker: Asker,
  callId: CallId,
  end: { readonly outcome: Outcome; readonly reason: string },
): boolean {
  const touched = database.run(
    `UPDATE calls SET state = 'ended', outcome = ?, reason = ?, ended_at_ms = ?
     WHERE call_id = ? AND lease_id = ? AND state <> 'ended'`,
    end.outcome,
    end.reason,
    asker.nowMs,
    callId,
    asker.holder.leaseId,
  );
  return touched > 0;
}

function buryLeases(database: Database, asker: Asker): void {
  // Read before our own lease is renewed, which tells whether we have slept ourselves.
  const dead = deadLeases(database, asker);
  renewLease(database, asker);
  for (const leaseId of dead) database.run('DELETE FROM leases WHERE lease_id = ?', leaseId);
}

function deadLeases(database: Database, asker: Asker): readonly string[] {
  const { holder, nowMs, leaseTtlMs } = asker;
  // When the whole machine slept or its disk stood still, the others could not beat either: only who is surely gone is dead then.
  // A newcomer cannot know whether they did: it has seen nobody miss a lease time yet.
  const canTell = hasWatched(asker) && !hasSlept(database, asker);
  return database
    .all('SELECT * FROM leases WHERE lease_id <> ?', holder.leaseId)
    .filter((row) => {
      const other = {
        host: String(row.host),
        pid: Number(row.pid),
        processStarted: row.process_started as string | null,
      };
      const isLate = nowMs - Number(row.heartbeat_at_ms) > leaseTtlMs;
      return (isLate && canTell) || !mayBeAlive(other);
    })
    .map((row) => String(row.lease_id));
}

function hasWatched({ nowMs, leaseTtlMs, watchingSinceMs }: Asker): boolean {
  return nowMs - watchingSinceMs > leaseTtlMs;
}

/** We have not beaten for so long that others would take us for dead, or have done so. */
function hasSlept(database: Database, asker: Asker): boolean {
  const { holder, nowMs, leaseTtlMs } = asker;
  const ours = database.first('SELECT heartbeat_at_ms FROM leases WHERE lease_id = ?', holder.leaseId);
  return ours === undefined ? hasWatched(asker) : nowMs - Number(ours.heartbeat_at_ms) > leaseTtlMs;
}
