/**
 * Recordings of calls, and what stays of a purged one: a hash of its idempotency key, so that it is not dialled again. What is
 * deleted from the index of words is taken out of it at once, not merely marked (SQLite, "FTS5: the secure-delete option").
 */
export const recordings = `
CREATE TABLE recordings (
  call_id TEXT NOT NULL REFERENCES calls (call_id),
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  url TEXT,
  channels INTEGER NOT NULL,
  bytes INTEGER,
  duration_ms REAL,
  state TEXT NOT NULL,
  reason TEXT,
  started_at_ms REAL NOT NULL,
  PRIMARY KEY (call_id, kind, name)
) STRICT;
CREATE INDEX recordings_by_start ON recordings (started_at_ms);
CREATE INDEX recordings_going_on ON recordings (call_id) WHERE state = 'recording';

CREATE TABLE spent_keys (
  key_hash TEXT PRIMARY KEY,
  call_id TEXT NOT NULL,
  forget_at_ms REAL NOT NULL
) STRICT;

CREATE INDEX calls_by_end ON calls (ended_at_ms) WHERE state = 'ended';
INSERT INTO line_words (line_words, rank) VALUES ('secure-delete', 1);
`;
