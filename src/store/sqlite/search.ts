import type { CallId } from '../../call/words.ts';
import type { Match } from '../store.ts';
import type { Database, Row } from './database.ts';
import type { Operations } from './requests.ts';
import { toLine } from './transcript.ts';

/** Words of a query beyond this many add nothing but work. */
const MAX_WORDS = 32;
/** Shorter words are looked for whole: as the beginning of others they would find nearly everything. */
const MIN_PREFIX_LENGTH = 3;
const SNIPPET_WORDS = 24;
const SNIPPET_MARGIN = 40;
/** Written without spaces between words, so an index of words does not help. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
/** Stand in for the marks while the snippet is cut, because a French transcript has « and » of its own. */
const OPEN = '\u0001';
const CLOSE = '\u0002';

const COLUMNS = 'lines.*, calls.to_number, calls.created_at_ms';

/** Full-text search. Every word of the query must stand in the line, at least as a word's beginning; accents and case do not count. */
export function searchOperations(database: Database): Pick<Operations, 'search'> {
  return {
    search: ({ text, limit, offset }) => {
      const words = wordsOf(text);
      if (words.length === 0) return [];
      return UNSPACED.test(text)
        ? searchText(database, words, limit, offset)
        : searchWords(database, words, limit, offset);
    },
  };
}

/** Letters and digits only: nothing that FTS5 would read as an operator survives. */
function wordsOf(text: string): readonly string[] {
  return (text.match(/[\p{L}\p{N}\p{M}]+/gu) ?? []).slice(0, MAX_WORDS);
}

function searchWords(database: Database, words: readonly string[], limit: number, offset: number): readonly Match[] {
  const expression = words.map((word) => (word.length < MIN_PREFIX_LENGTH ? `"${word}"` : `"${word}"*`)).join(' ');
  const rows = database.all(
    `SELECT ${COLUMNS}, snippet(line_words, 0, ?, ?, '…', ${SNIPPET_WORDS}) AS snippet
     FROM line_words JOIN lines ON lines.line_id = line_words.rowid JOIN calls ON calls.call_id = lines.call_id
     WHERE line_words MATCH ? ORDER BY rank, lines.line_id DESC LIMIT ? OFFSET ?`,
    OPEN,
    CLOSE,
    expression,
    limit,
    offset,
  );
  return rows.map((row) => toMatch(row, String(row.snippet)));
}

function searchText(database: Database, words: readonly string[], limit: number, offset: number): readonly Match[] {
  const rows = database.all(
    `SELECT ${COLUMNS} FROM lines JOIN calls ON calls.call_id = lines.call_id
     WHERE ${words.map(() => 'instr(lower(lines.text), lower(?)) > 0').join(' AND ')}
     ORDER BY lines.line_id DESC LIMIT ? OFFSET ?`,
    ...words,
    limit,
    offset,
  );
  return rows.map((row) => toMatch(row, cutAround(String(row.text), words)));
}

function cutAround(text: string, words: readonly string[]): string {
  const word = words.find((candidate) => text.includes(candidate));
  if (word === undefined) return text.slice(0, 2 * SNIPPET_MARGIN);
  const at = text.indexOf(word);
  const from = Math.max(0, at - SNIPPET_MARGIN);
  const to = Math.min(text.length, at + word.length + SNIPPET_MARGIN);
  const before = (from > 0 ? '…' : '') + text.slice(from, at);
  return `${before}${OPEN}${word}${CLOSE}${text.slice(at + word.length, to)}${to < text.length ? '…' : ''}`;
}

function toMatch(row: Row, snippet: string): Match {
  return {
    callId: row.call_id as CallId,
    to: String(row.to_number),
    createdAtMs: Number(row.created_at_ms),
    line: toLine(row),
    snippet: snippet.replaceAll('«', '“').replaceAll('»', '”').replaceAll(OPEN, '«').replaceAll(CLOSE, '»'),
  };
}
