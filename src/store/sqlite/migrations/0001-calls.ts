/** Times are REAL: milliseconds may carry a fraction, and a strict INTEGER column would refuse the line. */
export const calls = `
CREATE TABLE leases (
  lease_id TEXT PRIMARY KEY,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  process_started TEXT,
  heartbeat_at_ms REAL NOT NULL
) STRICT;

CREATE TABLE calls (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  call_id TEXT NOT NULL UNIQUE,
  lease_id TEXT NOT NULL,
  idempotency_key TEXT,
  fingerprint TEXT NOT NULL,
  carrier TEXT NOT NULL,
  carrier_call_id TEXT,
  to_number TEXT NOT NULL,
  context TEXT NOT NULL,
  language TEXT NOT NULL,
  voice TEXT NOT NULL,
  simulated INTEGER NOT NULL,
  state TEXT NOT NULL,
  outcome TEXT,
  reason TEXT,
  result TEXT,
  created_at_ms REAL NOT NULL,
  answered_at_ms REAL,
  ended_at_ms REAL
) STRICT;
CREATE UNIQUE INDEX calls_by_idempotency_key ON calls (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX calls_by_creation ON calls (created_at_ms);
CREATE INDEX calls_by_state ON calls (state, position);
CREATE INDEX calls_not_ended ON calls (lease_id) WHERE state <> 'ended';

CREATE TABLE lines (
  line_id INTEGER PRIMARY KEY,
  call_id TEXT NOT NULL REFERENCES calls (call_id),
  line_index INTEGER NOT NULL,
  speaker TEXT NOT NULL,
  text TEXT NOT NULL,
  planned TEXT,
  interrupted INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  start_ms REAL NOT NULL,
  end_ms REAL NOT NULL,
  final INTEGER NOT NULL,
  UNIQUE (call_id, line_index)
) STRICT;

CREATE VIRTUAL TABLE line_words USING fts5(
  text, content = 'lines', content_rowid = 'line_id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER lines_inserted AFTER INSERT ON lines BEGIN
  INSERT INTO line_words (rowid, text) VALUES (new.line_id, new.text);
END;
CREATE TRIGGER lines_deleted AFTER DELETE ON lines BEGIN
  INSERT INTO line_words (line_words, rowid, text) VALUES ('delete', old.line_id, old.text);
END;
CREATE TRIGGER lines_updated AFTER UPDATE OF text ON lines BEGIN
  INSERT INTO line_words (line_words, rowid, text) VALUES ('delete', old.line_id, old.text);
  INSERT INTO line_words (rowid, text) VALUES (new.line_id, new.text);
END;

CREATE TABLE notes (
  note_id INTEGER PRIMARY KEY,
  call_id TEXT NOT NULL REFERENCES calls (call_id),
  at_ms REAL NOT NULL,
  kind TEXT NOT NULL,
  data TEXT NOT NULL
) STRICT;
CREATE INDEX notes_by_call ON notes (call_id, note_id);

CREATE TABLE usage (
  call_id TEXT PRIMARY KEY REFERENCES calls (call_id),
  input_text_tokens INTEGER NOT NULL,
  input_audio_tokens INTEGER NOT NULL,
  cached_text_tokens INTEGER NOT NULL,
  cached_audio_tokens INTEGER NOT NULL,
  output_text_tokens INTEGER NOT NULL,
  output_audio_tokens INTEGER NOT NULL
) STRICT;
`;
