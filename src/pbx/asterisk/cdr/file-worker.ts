/** The thread that reads call records from a file. A CSV is taken in anew whenever it has changed. */
import { readFileSync, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
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
}

const MOST_CSV_BYTES = 64 * 1024 * 1024;
const COLUMNS = [...columnsOf(21)];

type Value = string | number | null;

async function work({ kind, path, table }: FileSettings): Promise<void> {
  // Said once for each process by Node 22, where `node:sqlite` is young.
  process.removeAllListeners('warning');
  const { DatabaseSync: Database } = await import('node:sqlite');
  const database = kind === 'sqlite' ? new Database(path, { readOnly: true }) : new Database(':memory:');
  const takeIn = kind === 'csv' ? csvReader(database, path, table) : (): void => undefined;
  parentPort?.on('message', ({ id, text, parameters }: FileQuestion) => {
    try {
      takeIn();
      const rows = database.prepare(text).all(...(parameters as Value[]));
      parentPort?.postMessage({ id, rows: rows.map((row) => ({ ...row })) } satisfies FileAnswer);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      parentPort?.postMessage({ id, error: message } satisfies FileAnswer);
    }
  });
}

function csvReader(database: DatabaseSync, path: string, table: string): () => void {
  const name = `"${table.replaceAll('"', '')}"`;
  let seen = '';
  return () => {
    const { size, mtimeMs } = statSync(path);
    const now = `${size} ${mtimeMs}`;
    if (now === seen) return;
    if (size > MOST_CSV_BYTES) throw new Error('The CSV is larger than 64 MB: let Asterisk write to a database.');
    const lines = parseCsv(readFileSync(path, 'utf8'));
    database.exec(`DROP TABLE IF EXISTS ${name}`);
    database.exec(
      `CREATE TABLE ${name} (${COLUMNS.map((column) => `"${column}" TEXT NOT NULL DEFAULT ''`).join(', ')})`,
    );
    const insert = database.prepare(`INSERT INTO ${name} VALUES (${COLUMNS.map(() => '?').join(', ')})`);
    database.exec('BEGIN');
    for (const line of lines) {
      const columns = columnsOf(line.length);
      insert.run(...COLUMNS.map((column) => line[columns.indexOf(column)] ?? ''));
    }
    database.exec('COMMIT');
    seen = now;
  };
}

await work(workerData as FileSettings);
