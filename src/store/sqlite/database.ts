import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { StoreRefusal } from './failure.ts';
import { MIGRATIONS } from './migrations/migrations.ts';
import type { WorkerSettings } from './requests.ts';

export type Row = Readonly<Record<string, unknown>>;

/** One connection with its prepared statements. Synchronous: lives in the store's worker. Throws what SQLite throws. */
export class Database {
  readonly #connection: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(connection: DatabaseSync) {
    this.#connection = connection;
  }

  /** Runs a change and says how many rows it touched. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  all(sql: string, ...values: SQLInputValue[]): readonly Row[] {
    return this.#statement(sql).all(...values) as readonly Row[];
  }

  first(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  exec(sql: string): void {
    this.#connection.exec(sql);
  }

  /** Runs `work` in one transaction that holds the write lock from its start; what throws is rolled back. */
  immediately<T>(work: () => T): T {
    this.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      this.#abandon('ROLLBACK');
      throw error;
    }
  }

  /** Runs `work` so that, when it throws, only its own changes are undone and the transaction around it goes on. */
  apart<T>(work: () => T): T {
    this.exec('SAVEPOINT request');
    try {
      const result = work();
      this.exec('RELEASE request');
      return result;
    } catch (error) {
      this.#abandon('ROLLBACK TO request; RELEASE request');
      throw error;
    }
  }

  get inTransaction(): boolean {
    return this.#connection.isTransaction;
  }

  close(): void {
    this.#statements.clear();
    this.#connection.close();
  }

  /** A full disk makes SQLite roll back by itself; then there is nothing left to abandon, and the first error is the one to tell. */
  #abandon(sql: string): void {
    try {
      if (this.inTransaction) this.exec(sql);
    } catch {
      if (this.inTransaction) this.exec('ROLLBACK');
    }
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#connection.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** Opens the file, creating it and its folder for this user alone, and brings its schema up to date. */
export function openDatabase(settings: WorkerSettings): Database {
  const path = prepareFile(settings);
  const connection = new DatabaseSync(path, { enableForeignKeyConstraints: true });
  try {
    connection.exec(`PRAGMA busy_timeout = ${Math.trunc(settings.busyTimeoutMs)}`);
    // Of a new file only; a file from before gets it with its first purge. What is deleted is overwritten, in either.
    connection.exec('PRAGMA auto_vacuum = INCREMENTAL');
    switchToWal(connection, settings.busyTimeoutMs);
    connection.exec('PRAGMA secure_delete = ON');
    // FULL waits for the disk at each commit. NORMAL would survive a kill of our process too, but not a power cut, and an
    // idempotency key that is forgotten dials twice. The wait is this thread's alone.
    connection.exec('PRAGMA synchronous = FULL');
    const database = new Database(connection);
    migrate(database);
    return database;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function prepareFile({ dataDir, file }: WorkerSettings): string {
  const path = join(dataDir, file);
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    // SQLite gives its -wal and -shm files the mode of the file itself.
    closeSync(openSync(path, 'a', 0o600));
    chmodSync(path, 0o600);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const message = `The data folder ${dataDir} cannot be used (${code}). Set DATA_DIR to a folder that this user may write.`;
    throw new StoreRefusal({ kind: 'config', message, retryable: false, code });
  }
  return path;
}

/** Two processes that open a new file at once both want to be alone for this, and SQLite does not wait here by itself. */
function switchToWal(connection: DatabaseSync, patienceMs: number): void {
  const nap = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; ; waitedMs += 20) {
    try {
      connection.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      const busy = error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5;
      if (!busy || waitedMs >= patienceMs) throw error;
      Atomics.wait(nap, 0, 0, 20);
    }
  }
}

function migrate(database: Database): void {
  if (schemaVersion(database) === MIGRATIONS.length) return;
  database.immediately(() => {
    // Read again under the lock: another process may have been faster.
    const version = schemaVersion(database);
    if (version > MIGRATIONS.length) {
      const message = `The store in DATA_DIR was written by a newer Switchboard (schema ${version}, this one knows ${MIGRATIONS.length}). Update Switchboard, or set DATA_DIR to another folder.`;
      throw new StoreRefusal({ kind: 'config', message, retryable: false, code: 'newer-schema' });
    }
    for (const sql of MIGRATIONS.slice(version)) database.exec(sql);
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}

function schemaVersion(database: Database): number {
  return Number(database.first('PRAGMA user_version')?.user_version ?? 0);
}
