import type { CallId } from '../../call/words.ts';
import type { Database } from './database.ts';
import { mayBeAlive } from './process-identity.ts';
import type { Asker, Operations, Stranded } from './requests.ts';

type LeaseOperations = Pick<Operations, 'heartbeat' | 'takeStranded' | 'releaseLease'>;

const STRANDED_REASON = 'Switchboard stopped while this call was going on.';
const UNBOUND_REASON =
  'Switchboard stopped while this call was being placed, so it is not known whether it was dialled; check before calling again.';

/** Which process is responsible for which calls, and what becomes of them when it is gone. */
export function leaseOperations(database: Database): LeaseOperations {
  return {
    heartbeat: (asker) => renewLease(database, asker),
    takeStranded: (asker) => takeStranded(database, asker),
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
export function renewLease(database: Database, { holder, nowMs }: Asker): void {
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

/** Runs under the write lock, so each call is marked and returned once, to one process. */
function takeStranded(database: Database, asker: Asker): readonly Stranded[] {
  renewLease(database, asker);
  for (const leaseId of deadLeases(database, asker)) database.run('DELETE FROM leases WHERE lease_id = ?', leaseId);
  const rows = database.all(
    `UPDATE calls SET state = 'ended', ended_at_ms = ?,
       outcome = CASE WHEN carrier_call_id IS NULL THEN 'unknown' ELSE 'error' END,
       reason = CASE WHEN carrier_call_id IS NULL THEN ? ELSE ? END
     WHERE state <> 'ended' AND lease_id NOT IN (SELECT lease_id FROM leases)
     RETURNING call_id, carrier, carrier_call_id`,
    asker.nowMs,
    UNBOUND_REASON,
    STRANDED_REASON,
  );
  return rows.map((row) => ({
    callId: row.call_id as CallId,
    carrier: String(row.carrier),
    carrierCallId: row.carrier_call_id as string | null,
  }));
}

function deadLeases(database: Database, { holder, nowMs, leaseTtlMs }: Asker): readonly string[] {
  return database
    .all('SELECT * FROM leases WHERE lease_id <> ?', holder.leaseId)
    .filter((row) => {
      const other = {
        host: String(row.host),
        pid: Number(row.pid),
        processStarted: row.process_started as string | null,
      };
      return nowMs - Number(row.heartbeat_at_ms) > leaseTtlMs || !mayBeAlive(other);
    })
    .map((row) => String(row.lease_id));
}
