/** The store's own thread: SQLite is synchronous, so it waits for disks and locks here and never in the event loop of the calls. */
import { parentPort, workerData } from 'node:worker_threads';
import { describeFailure } from './failure.ts';
import type { FromWorker, ToWorker, WorkerSettings } from './requests.ts';

async function work(settings: WorkerSettings, post: (message: FromWorker) => void): Promise<void> {
  silenceSqliteWarning();
  // Loaded late: `node:sqlite` prints its warning while it is loaded, before the first line of a static importer runs.
  const [{ openDatabase }, { operationsOf, runBatch }] = await Promise.all([
    import('./database.ts'),
    import('./batch.ts'),
  ]);
  const database = openDatabase(settings);
  const operations = operationsOf(database);
  parentPort?.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'batch':
        limitPages(database, settings.pages);
        post({ type: 'batchDone', replies: runBatch(database, operations, message.requests) });
        return;
      case 'close':
        database.close();
        parentPort?.close();
        return;
      default:
        message satisfies never;
    }
  });
  post({ type: 'opened' });
}

const MOST_PAGES = 4_294_967_294;
let limit = 0;

/** sqlite.org/pragma.html#pragma_max_page_count: never below what the file has already. */
function limitPages(database: { exec(sql: string): void }, pages: Int32Array | undefined): void {
  const wanted = pages ? Atomics.load(pages, 0) : 0;
  if (wanted === limit) return;
  limit = wanted;
  database.exec(`PRAGMA max_page_count = ${wanted === 0 ? MOST_PAGES : wanted}`);
}

/** Node 22 calls SQLite experimental on stderr; that one sentence says nothing to our users, any other warning stays. */
function silenceSqliteWarning(): void {
  const emitWarning = process.emitWarning.bind(process);
  const filtered = (warning: string | Error, ...rest: unknown[]): void => {
    const text = typeof warning === 'string' ? warning : warning.message;
    if (text.includes('SQLite is an experimental feature')) return;
    (emitWarning as (warning: string | Error, ...rest: unknown[]) => void)(warning, ...rest);
  };
  process.emitWarning = filtered as typeof process.emitWarning;
}

const post = (message: FromWorker): void => parentPort?.postMessage(message);
work(workerData as WorkerSettings, post).catch((error: unknown) => {
  post({ type: 'notOpened', failure: describeFailure(error) });
  parentPort?.close();
});
