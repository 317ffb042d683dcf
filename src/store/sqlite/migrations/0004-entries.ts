/** What has an id is written down once, also when it comes again: its writer may not have learnt that it was committed. */
export const entries = `
ALTER TABLE notes ADD COLUMN entry_id TEXT;
CREATE UNIQUE INDEX notes_by_entry ON notes (call_id, entry_id) WHERE entry_id IS NOT NULL;

CREATE TABLE usage_entries (
  call_id TEXT NOT NULL REFERENCES calls (call_id),
  entry_id TEXT NOT NULL,
  PRIMARY KEY (call_id, entry_id)
) STRICT, WITHOUT ROWID;
`;
