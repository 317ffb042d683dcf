import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface CallOnDisk {
  readonly callId: string;
  readonly key: string | null;
  readonly to: string;
  readonly carrierCallId: string | null;
  readonly state: string;
  readonly outcome: string | null;
  readonly reason: string | null;
  /** Speaker and text, in order. */
  readonly lines: readonly string[];
}

/** What is committed, read by a connection of our own: nothing of the server is asked. */
export function readDisk(dataDir: string): readonly CallOnDisk[] {
  const connection = new DatabaseSync(join(dataDir, 'switchboard.sqlite'), { readOnly: true });
  try {
    const lines = connection.prepare('SELECT * FROM lines WHERE call_id = ? ORDER BY line_index');
    return connection
      .prepare('SELECT * FROM calls ORDER BY position')
      .all()
      .map((row) => ({
        callId: String(row.call_id),
        key: row.idempotency_key as string | null,
        to: String(row.to_number),
        carrierCallId: row.carrier_call_id as string | null,
        state: String(row.state),
        outcome: row.outcome as string | null,
        reason: row.reason as string | null,
        lines: lines.all(String(row.call_id)).map((line) => lineText(line as never)),
      }));
  } finally {
    connection.close();
  }
}

/** A line in a form that can be compared. */
export function lineText(line: { readonly speaker: string; readonly text: string }): string {
  return `${line.speaker}: ${line.text}`;
}
