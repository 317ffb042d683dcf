import type { CallId, Line, Usage } from '../../call/words.ts';
import type { Note } from '../store.ts';
import { unknownCall } from './calls.ts';
import type { Database, Row } from './database.ts';
import type { Operations } from './requests.ts';

type TranscriptOperations = Pick<Operations, 'putLine' | 'lines' | 'addNote' | 'notes' | 'addUsage' | 'usage'>;

const USAGE_COLUMNS = {
  inputTextTokens: 'input_text_tokens',
  inputAudioTokens: 'input_audio_tokens',
  cachedTextTokens: 'cached_text_tokens',
  cachedAudioTokens: 'cached_audio_tokens',
  outputTextTokens: 'output_text_tokens',
  outputAudioTokens: 'output_audio_tokens',
  transcribedMs: 'transcribed_ms',
  transcriptionInputTokens: 'transcription_input_tokens',
  transcriptionOutputTokens: 'transcription_output_tokens',
} as const satisfies Record<keyof Usage, string>;

const USAGE_KEYS = Object.keys(USAGE_COLUMNS) as (keyof Usage)[];
const USAGE_NAMES = USAGE_KEYS.map((key) => USAGE_COLUMNS[key]);
const ADD_USAGE = `
  INSERT INTO usage (call_id, ${USAGE_NAMES.join(', ')}) VALUES (?, ${USAGE_NAMES.map(() => '?').join(', ')})
  ON CONFLICT (call_id) DO UPDATE SET ${USAGE_NAMES.map((name) => `${name} = ${name} + excluded.${name}`).join(', ')}`;

const REMEMBER_USAGE = 'INSERT INTO usage_entries (call_id, entry_id) VALUES (?, ?) ON CONFLICT DO NOTHING';

/** Lines, timeline and usage of a call. */
export function transcriptOperations(database: Database): TranscriptOperations {
  const mustExist = (callId: CallId): void => {
    if (!database.first('SELECT 1 AS found FROM calls WHERE call_id = ?', callId)) throw unknownCall();
  };
  return {
    putLine: (callId, line) => {
      mustExist(callId);
      putLine(database, callId, line);
    },
    lines: (callId, { from, limit }) =>
      database
        .all(
          'SELECT * FROM lines WHERE call_id = ? AND line_index >= ? ORDER BY line_index LIMIT ?',
          callId,
          from,
          limit,
        )
        .map(toLine),
    addNote: (callId, note, entryId) => {
      mustExist(callId);
      const data = JSON.stringify(note.data);
      database.run(
        'INSERT INTO notes (call_id, at_ms, kind, data, entry_id) VALUES (?, ?, ?, ?, ?) ON CONFLICT (call_id, entry_id) WHERE entry_id IS NOT NULL DO NOTHING',
        callId,
        note.atMs,
        note.kind,
        data,
        entryId ?? null,
      );
    },
    notes: (callId) => database.all('SELECT * FROM notes WHERE call_id = ? ORDER BY note_id', callId).map(toNote),
    addUsage: (callId, usage, entryId) => {
      mustExist(callId);
      if (entryId !== undefined && database.run(REMEMBER_USAGE, callId, entryId) === 0) return;
      database.run(ADD_USAGE, callId, ...USAGE_KEYS.map((key) => usage[key]));
    },
    usage: (callId) => toUsage(database.first('SELECT * FROM usage WHERE call_id = ?', callId)),
  };
}

function putLine(database: Database, callId: CallId, line: Line): void {
  database.run(
    `INSERT INTO lines (call_id, line_index, speaker, text, planned, interrupted, estimated, start_ms, end_ms, final)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (call_id, line_index) DO UPDATE SET
       speaker = excluded.speaker, text = excluded.text, planned = excluded.planned, interrupted = excluded.interrupted,
       estimated = excluded.estimated, start_ms = excluded.start_ms, end_ms = excluded.end_ms, final = excluded.final`,
    callId,
    line.index,
    line.speaker,
    line.text,
    line.planned ?? null,
    line.interrupted ? 1 : 0,
    line.estimated ? 1 : 0,
    line.startMs,
    line.endMs,
    line.final ? 1 : 0,
  );
}

/** A row of `lines`, or of a join that has all its columns. */
export function toLine(row: Row): Line {
  const planned = row.planned as string | null;
  return {
    index: Number(row.line_index),
    speaker: row.speaker as Line['speaker'],
    text: String(row.text),
    ...(planned === null ? {} : { planned }),
    interrupted: row.interrupted === 1,
    estimated: row.estimated === 1,
    startMs: Number(row.start_ms),
    endMs: Number(row.end_ms),
    final: row.final === 1,
  };
}

function toNote(row: Row): Note {
  return {
    atMs: Number(row.at_ms),
    kind: String(row.kind),
    data: JSON.parse(String(row.data)) as Note['data'],
  };
}

function toUsage(row: Row | undefined): Usage {
  const count = (key: keyof Usage): number => Number(row?.[USAGE_COLUMNS[key]] ?? 0);
  return {
    inputTextTokens: count('inputTextTokens'),
    inputAudioTokens: count('inputAudioTokens'),
    cachedTextTokens: count('cachedTextTokens'),
    cachedAudioTokens: count('cachedAudioTokens'),
    outputTextTokens: count('outputTextTokens'),
    outputAudioTokens: count('outputAudioTokens'),
    transcribedMs: count('transcribedMs'),
    transcriptionInputTokens: count('transcriptionInputTokens'),
    transcriptionOutputTokens: count('transcriptionOutputTokens'),
  };
}
