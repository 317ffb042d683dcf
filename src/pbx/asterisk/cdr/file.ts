/** Call records in a file: SQLite, or CSV that is taken into a table in memory. Both are read in a thread of their own, as SQLite waits for disks. */
import { Worker } from 'node:worker_threads';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { type CdrTables, type OpenedDialect, QUERY_MS } from './database.ts';
import type { FileAnswer, FileQuestion, FileSettings } from './file-worker.ts';

export async function openFile(kind: 'sqlite' | 'csv', path: string, table: string): Promise<OpenedDialect> {
  const thread = new FileThread({ kind, path, table });
  await thread.ready();
  const db = new Kysely<CdrTables>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new FileDriver(thread),
      createIntrospector: (given) => new SqliteIntrospector(given),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
  // Opened by the thread with `readOnly`, or a table in memory: there is nothing that could be changed.
  return { db, isReadOnly: true, mayWrite: false };
}

/** From the sources the worker is a .ts file beside this one; in the package it is an entry of its own, beside every chunk. */
function workerUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './file-worker.ts' : './cdr-worker.js', import.meta.url);
}

class FileThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (answer: FileAnswer) => void>();
  #next = 1;

  constructor(settings: FileSettings) {
    this.#worker = new Worker(workerUrl(), { workerData: settings, name: 'cdr' });
    this.#worker.unref();
    this.#worker.on('message', (answer: FileAnswer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    const lost = (): void => {
      for (const [id, settle] of [...this.#waiting])
        settle({ id, error: 'The thread that reads the call records ended.' });
      this.#waiting.clear();
    };
    this.#worker.on('error', lost);
    this.#worker.on('exit', lost);
  }

  async ready(): Promise<void> {
    await this.ask('SELECT 1', []);
  }

  ask(text: string, parameters: readonly unknown[]): Promise<readonly Record<string, unknown>[]> {
    return new Promise((resolve, reject) => {
      const id = this.#next;
      this.#next += 1;
      const tooLong = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error('Reading the call records takes too long.'));
      }, QUERY_MS);
      this.#waiting.set(id, (answer) => {
        clearTimeout(tooLong);
        if (answer.error === undefined) resolve(answer.rows ?? []);
        else reject(new Error(answer.error));
      });
      this.#worker.postMessage({ id, text, parameters } satisfies FileQuestion);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

class FileDriver implements Driver {
  readonly #thread: FileThread;

  constructor(thread: FileThread) {
    this.#thread = thread;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const thread = this.#thread;
    return {
      async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
        return { rows: (await thread.ask(sql, parameters)) as Row[] };
      },
      // biome-ignore lint/correctness/useYield: nothing is streamed from a file.
      async *streamQuery() {
        throw new Error('Rows of a file are not streamed.');
      },
    };
  }

  async beginTransaction(): Promise<void> {
    throw new Error('Nothing is changed here, so there are no transactions.');
  }

  async commitTransaction(): Promise<void> {}

  async rollbackTransaction(): Promise<void> {}

  async releaseConnection(): Promise<void> {}

  destroy(): Promise<void> {
    return this.#thread.close();
  }
}
