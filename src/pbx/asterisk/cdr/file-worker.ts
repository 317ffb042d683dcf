/**
 * The thread that reads call records from a file, into a table of its own that all questions go to. A CSV is taken in anew whenever it
 * has changed. Of a SQLite file what is new is copied, a little at a time: whoever reads one keeps Asterisk from writing to it, and
 * Asterisk drops a record that it cannot write within a second.
 */
import { readFileSync, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { columnsOf, parseCsv } from './csv.ts';

export interface FileSettings {
  readonly kind: 'sqlite' | 'csv';
  readonly path: string;
  readonly table: string;
}

export interface FileQuestion {
  readonly id: number;
  readonly text: string;
  readonly parameters: readonly unknown[];
}

export interface FileAnswer {
  readonly id: number;
  readonly rows?: readonly Record<string, unknown>[];
  readonly error?: string;
  /** A sentence that says what to do; anything else may hold a path. */
  readonly isPlain?: boolean;
}

const MOST_CSV_BYTES = 64 * 1024 * 1024;
/** Rows of one read, some milliseconds. */
const ROWS_AT_ONCE = 2_000;
/** For Asterisk to finish writing; reads of its own are far shorter. */
const BUSY_MS = 2_000;
const COLUMNS = [
  ...['calldate', 'start', 'src', 'dst', 'channel', 'dstchannel', 'lastapp', 'duration', 'billsec', 'disposition'],
  ...['uniqueid', 'linkedid', 'sequence'],
];
const CSV_COLUMNS = COLUMNS.filter((column) => column !== 'start');

class TooLarge extends Error {}

type Value = string | number | null;

async function work({ kind, path, table }: FileSettings): Promise<void> {
  // Said once for each process by Node 22, where `node:sqlite` is young.
  process.removeAllListeners('warning');
  const { DatabaseSync: Database } = await import('node:sqlite');
  // Without a name it is a temporary one: in memory, and on disk where it is large.
  const database = new Database('', { timeout: BUSY_MS });
  const name = `"${table.replaceAll('"', '')}"`;
  const takeIn = kind === 'csv' ? csvReader(database, path, name) : sqliteReader(database, path, name);
  parentPort?.on('message', ({ id, text, parameters }: FileQuestion) => {
    try {
      database.exec('PRAGMA query_only = OFF');
      takeIn();
      database.exec('PRAGMA query_only = ON');
      const rows = database.prepare(text).all(...(parameters as Value[]));
      parentPort?.postMessage({ id, rows: rows.map((row) => ({ ...row })) } satisfies FileAnswer);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      parentPort?.postMessage({ id, error: message, isPlain: error instanceof TooLarge } satisfies FileAnswer);
    }
  });
}

function csvReader(database: DatabaseSync, path: string, name: string): () => void {
  let seen = '';
  create(database, name, CSV_COLUMNS);
  return () => {
    const { size, mtimeMs } = statSync(path);
    const now = `${size} ${mtimeMs}`;
    if (now === seen) return;
    if (size > MOST_CSV_BYTES) throw new TooLarge('The CSV is larger than 64 MB: let Asterisk write to a database.');
    const text = readFileSync(path, 'utf8');
    const insert = database.prepare(`INSERT INTO ${name} VALUES (${CSV_COLUMNS.map(() => '?').join(', ')})`);
    database.exec(`BEGIN; DELETE FROM ${name}`);
    try {
      for (const line of parseCsv(text)) {
        const columns = columnsOf(line);
        insert.run(...CSV_COLUMNS.map((column) => line[columns.indexOf(column)] ?? ''));
      }
      database.exec('COMMIT');
    } catch (error) {
      database.exec('ROLLBACK');
      throw error;
    }
    seen = now;
  };
}

function sqliteReader(database: DatabaseSync, path: string, name: string): () => void {
  const address = `${pathToFileURL(path).href.replaceAll("'", '%27')}?mode=ro`;
  database.exec(`ATTACH '${address}' AS source`);
  const present = database.prepare(`PRAGMA source.table_info(${name})`).all();
  const columns = COLUMNS.filter((column) => present.some((one) => String(one.name).toLowerCase() === column));
  // Questions then find no table, and the opening says what is wrong.
  if (columns.length === 0) return () => undefined;
  create(database, name, columns);
  const listed = columns.map((column) => `"${column}"`).join(', ');
  const copy = database.prepare(
    `INSERT INTO main.${name} (rowid, ${listed}) SELECT rowid, ${listed} FROM source.${name}
     WHERE rowid > ? ORDER BY rowid LIMIT ${ROWS_AT_ONCE}`,
  );
  const edges = database.prepare(
    `SELECT (SELECT min(rowid) FROM source.${name}) AS first, (SELECT max(rowid) FROM source.${name}) AS last`,
  );
  let last = 0;
  return () => {
    const { first, last: newest } = edges.get() as { first: number | null; last: number | null };
    // Records that were thrown away there, or a table that was begun anew.
    if (Number(newest) < last) last = 0;
    database.prepare(`DELETE FROM main.${name} WHERE rowid < ? OR rowid > ?`).run(Number(first), last);
    for (;;) {
      const { changes, lastInsertRowid } = copy.run(last);
      if (changes === 0) return;
      last = Number(lastInsertRowid);
    }
  };
}

function create(database: DatabaseSync, name: string, columns: readonly string[]): void {
  database.exec(`CREATE TABLE main.${name} (${columns.map((column) => `"${column}"`).join(', ')})`);
  const moment = ['calldate', 'start'].find((column) => columns.includes(column));
  if (moment !== undefined) database.exec(`CREATE INDEX main.by_moment ON ${name} ("${moment}")`);
}

await work(workerData as FileSettings);
