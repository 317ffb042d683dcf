/** Which models a call was billed for, and what it cost by the prices of its day: later prices do not change it. Null where it was not known. */
export const costs = `
ALTER TABLE calls ADD COLUMN model TEXT;
ALTER TABLE calls ADD COLUMN transcription_model TEXT;
ALTER TABLE calls ADD COLUMN cost TEXT;
ALTER TABLE usage ADD COLUMN transcribed_ms REAL NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN transcription_input_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN transcription_output_tokens INTEGER NOT NULL DEFAULT 0;
`;
