/** Call records in a file, SQLite or CSV. Both are read in a thread of their own, as SQLite waits for disks. */
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
  sql,
} from 'kysely';
import { UpstreamError } from '../../../errors.ts';
import { type CdrTables, type OpenedDialect, QUERY_MS } from './database.ts';
import type { FileAnswer, FileQuestion, FileSettings } from './file-worker.ts';

export async function openFile(
  kind: 'sqlite' | 'csv',
  path: string,
  table: string,
  patienceMs = QUERY_MS,
): Promise<OpenedDialect> {
  const thread = new FileThread({ kind, path, table }, patienceMs);
  try {
    await thread.ask('SELECT 1', []);
  } catch (error) {
    await thread.close();
    throw error;
  }
  const db = new Kysely<CdrTables>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new FileDriver(thread),
      createIntrospector: (given) => new SqliteIntrospector(given),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
  // The file is opened by the thread with `mode=ro`, or read; questions go to a copy that only the thread itself writes to.
  return { db, isReadOnly: true, mayWrite: false, seconds: (moment) => sql`unixepoch(${moment})` };
}

/** From the sources the worker is a .ts file beside this one; in the package it is an entry of its own, beside every chunk. */
function workerUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './file-worker.ts' : './cdr-worker.js', import.meta.url);
}

/** Begun by a question, and ended when one takes too long: nothing else stops a query of SQLite. */
class FileThread {
  readonly #settings: FileSettings;
  readonly #patienceMs: number;
  readonly #waiting = new Map<number, (answer: FileAnswer) => void>();
  #worker: Worker | null = null;
  #next = 1;

  constructor(settings: FileSettings, patienceMs: number) {
    this.#settings = settings;
    this.#patienceMs = patienceMs;
  }

  ask(text: string, parameters: readonly unknown[]): Promise<readonly Record<string, unknown>[]> {
    return new Promise((resolve, reject) => {
      const id = this.#next;
      this.#next += 1;
      const tooLong = setTimeout(
        () => this.#end('Reading the call records takes too long. Ask for a shorter time.', true),
        this.#patienceMs,
      );
      this.#waiting.set(id, (answer) => {
        clearTimeout(tooLong);
        if (answer.error === undefined) resolve(answer.rows ?? []);
        else if (answer.isPlain) reject(new UpstreamError(answer.error, { retryable: false }));
        else reject(new Error(answer.error));
      });
      this.#worker ??= this.#start();
      this.#worker.postMessage({ id, text, parameters } satisfies FileQuestion);
    });
  }

  async close(): Promise<void> {
    await this.#end('The call records are closed.');
  }

  #start(): Worker {
    const worker = new Worker(workerUrl(), { workerData: this.#settings, name: 'cdr' });
    worker.unref();
    worker.on('message', (answer: FileAnswer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    const lost = (error?: unknown): void => {
      if (this.#worker !== worker) return;
      void this.#end(error instanceof Error ? error.message : 'The thread that reads the call records ended.');
    };
    worker.on('error', lost);
    worker.on('exit', () => lost());
    return worker;
  }

  /** Whatever waits is told; the next question begins a new thread. */
  async #end(error: string, isPlain = false): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [id, settle] of waiting) settle({ id, error, isPlain });
    await worker?.terminate();
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
