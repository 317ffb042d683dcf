import { randomUUID } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { CallId, CallState, Line, Outcome, Usage } from '../../call/words.ts';
import { UpstreamError } from '../../errors.ts';
import { thisProcess } from '../../process-identity.ts';
import type { CallChange, CallRecord, Match, NewCall, Note, Recording, Room, Store, Stranded } from '../store.ts';
import { describeFailure, toOpeningError, toRequestError } from './failure.ts';
import type {
  Asker,
  Created,
  Earlier,
  FromWorker,
  Holder,
  OperationName,
  Operations,
  Reply,
  Request,
  ToWorker,
} from './requests.ts';

export interface SqliteStoreOptions {
  /** Created for this user alone when it does not exist. */
  readonly dataDir: string;
  /** Name of the database inside `dataDir`. */
  readonly file?: string;
  /** Wall clock, milliseconds. */
  readonly clock?: () => number;
  readonly heartbeatMs?: number;
  /** A lease without a heartbeat for this long is dead. */
  readonly leaseTtlMs?: number;
  /** How long a write waits for the lock of another process before it is rejected as busy. */
  readonly busyTimeoutMs?: number;
  /** In shared memory: most pages that the file may have, to be changed at any time; 0 for as many as there are. */
  readonly pages?: Int32Array | undefined;
}

/** So many requests a transaction: it bounds how long other processes wait for us. */
const MAX_BATCH = 256;
/**
 * What nobody waits for may wait so long after the last batch for others to share its commit and its way to the thread: at 200
 * calls every second such write would otherwise be a commit of its own.
 */
const GATHER_MS = 200;
const PATIENT: ReadonlySet<OperationName> = new Set<OperationName>(['putLine', 'addNote', 'addUsage']);
/** More than this waiting means that the disk has stopped; memory must not be what fails next. */
const MAX_QUEUE = 20_000;

interface Waiting {
  readonly request: Request;
  readonly settle: (reply: Reply) => void;
}

/**
 * Opens the store in `dataDir`, shared with other processes that do the same.
 * @throws ConfigError when the folder or the file cannot be used (or was written by a newer version), UpstreamError when it is busy.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const worker = new Worker(workerUrl(), {
    // Its stdout is not passed on: ours may belong to a protocol.
    stdout: true,
    workerData: {
      dataDir: options.dataDir,
      file: options.file ?? 'switchboard.sqlite',
      busyTimeoutMs: options.busyTimeoutMs ?? 5_000,
      pages: options.pages,
    },
  });
  await opened(worker);
  const store = new SqliteStore(worker, options);
  try {
    await store.heartbeat();
  } catch (error) {
    await store.close();
    throw error;
  }
  store.beat(options.heartbeatMs ?? 5_000);
  return store;
}

/** From the sources the worker is a .ts file beside this one; in the package it is an entry of its own, beside every chunk. */
function workerUrl(): URL {
  const name = import.meta.url.endsWith('.ts') ? './store-worker.ts' : './store-worker.js';
  return new URL(name, import.meta.url);
}

function opened(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: FromWorker): void => {
      if (message.type === 'notOpened') finish(() => reject(toOpeningError(message.failure)));
      else finish(resolve);
    };
    const onError = (cause: unknown): void => finish(() => reject(stopped(cause)));
    const onExit = (): void => finish(() => reject(stopped('it ended before it was open')));
    const finish = (settle: () => void): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      settle();
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
  });
}

function stopped(cause: unknown): UpstreamError {
  return new UpstreamError('The store has stopped working. Restart Switchboard.', { retryable: false, cause });
}

/** What could not be read or written is tried again within this time, so whatever was wrong longer ago is over. */
const TROUBLE_MS = 60_000;

/** The main thread's side: keeps requests in order, sends those that wait as one batch, and settles each when it is committed. */
class SqliteStore implements Store {
  readonly #worker: Worker;
  readonly #clock: () => number;
  readonly #leaseTtlMs: number;
  readonly #watchingSinceMs: number;
  readonly #holder: Holder = { leaseId: randomUUID(), ...thisProcess() };
  readonly #exited: Promise<void>;
  #queue: Waiting[] = [];
  #underway: readonly Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #impatient = 0;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #beating = false;
  #failure: { readonly message: string; readonly atMs: number } | null = null;
  #closing: Promise<void> | undefined;
  #broken: UpstreamError | undefined;

  constructor(worker: Worker, options: SqliteStoreOptions) {
    this.#worker = worker;
    this.#clock = options.clock ?? Date.now;
    this.#leaseTtlMs = options.leaseTtlMs ?? 30_000;
    this.#watchingSinceMs = this.#clock();
    worker.on('message', (message: FromWorker) => this.#hear(message));
    worker.on('error', (error) => this.#break(stopped(error)));
    this.#exited = new Promise((resolve) => {
      worker.on('exit', () => {
        this.#break(stopped('its thread ended'));
        resolve();
      });
    });
    worker.unref();
  }

  createCall(call: NewCall, room?: Room): Promise<Created> {
    return this.#ask('createCall', call, this.#asker(), room);
  }
  placedUnder(idempotencyKey: string, fingerprint: string): Promise<Earlier | null> {
    return this.#ask('placedUnder', idempotencyKey, fingerprint);
  }
  updateCall(callId: CallId, change: CallChange): Promise<void> {
    return this.#ask('updateCall', callId, change);
  }
  putLine(callId: CallId, line: Line): Promise<void> {
    return this.#ask('putLine', callId, line);
  }
  addNote(callId: CallId, note: Note, entryId?: string): Promise<void> {
    return this.#ask('addNote', callId, note, entryId);
  }
  addUsage(callId: CallId, usage: Usage, entryId?: string): Promise<void> {
    return this.#ask('addUsage', callId, usage, entryId);
  }
  call(callId: CallId): Promise<CallRecord | null> {
    return this.#ask('call', callId);
  }
  calls(query: {
    readonly state?: CallState;
    readonly limit: number;
    readonly before?: number;
  }): Promise<readonly CallRecord[]> {
    return this.#ask('calls', query);
  }
  lines(callId: CallId, query: { readonly from: number; readonly limit: number }): Promise<readonly Line[]> {
    return this.#ask('lines', callId, query);
  }
  notes(callId: CallId): Promise<readonly Note[]> {
    return this.#ask('notes', callId);
  }
  usage(callId: CallId): Promise<Usage> {
    return this.#ask('usage', callId);
  }
  search(query: { readonly text: string; readonly limit: number; readonly offset: number }): Promise<readonly Match[]> {
    return this.#ask('search', query);
  }
  putRecording(recording: Recording): Promise<void> {
    return this.#ask('putRecording', recording);
  }
  recordings(query: {
    readonly callId?: CallId;
    readonly goingOn?: boolean;
    readonly limit: number;
  }): Promise<readonly Recording[]> {
    return this.#ask('recordings', query);
  }
  purgeable(query: { readonly endedBeforeMs: number; readonly limit: number }): Promise<readonly CallId[]> {
    return this.#ask('purgeable', query);
  }
  purgeCalls(
    callIds: readonly CallId[],
    times: { readonly nowMs: number; readonly keepKeysUntilMs: number },
  ): Promise<readonly CallId[]> {
    return this.#ask('purgeCalls', callIds, times);
  }
  scrub(): Promise<boolean> {
    return this.#ask('scrub');
  }
  heartbeat(): Promise<void> {
    return this.#ask('heartbeat', this.#asker());
  }
  claimStranded(carrier: string, reason: string): Promise<readonly Stranded[]> {
    return this.#ask('claimStranded', this.#asker(), carrier, reason);
  }
  markStranded(reason: string): Promise<readonly CallId[]> {
    return this.#ask('markStranded', this.#asker(), reason);
  }
  endStranded(callId: CallId, end: { readonly outcome: Outcome; readonly reason: string }): Promise<boolean> {
    return this.#ask('endStranded', this.#asker(), callId, end);
  }
  callsTo(query: Parameters<Store['callsTo']>[0]): Promise<readonly CallRecord[]> {
    return this.#ask('callsTo', query);
  }

  /** Renews the lease by itself from now on; the timer keeps no process alive. */
  beat(everyMs: number): void {
    this.#timer = setInterval(() => {
      if (this.#beating) return;
      this.#beating = true;
      // A heartbeat that fails is no news for calls: the next one may pass, and requests tell of a store in trouble.
      const done = (): void => {
        this.#beating = false;
      };
      this.heartbeat().then(done, done);
    }, everyMs).unref();
  }

  trouble(): string | null {
    if (this.#broken) return this.#broken.message;
    const { message, atMs } = this.#failure ?? { message: null, atMs: 0 };
    return performance.now() - atMs < TROUBLE_MS ? message : null;
  }

  /** Resolves when everything that was asked before is committed and the thread is gone. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    const released = this.#ask('releaseLease', this.#holder.leaseId).catch(() => undefined);
    await released;
    this.#post({ type: 'close' });
    this.#worker.ref();
    await this.#exited;
  }

  #asker(): Asker {
    return {
      holder: this.#holder,
      nowMs: this.#clock(),
      leaseTtlMs: this.#leaseTtlMs,
      watchingSinceMs: this.#watchingSinceMs,
    };
  }

  #ask<Name extends OperationName>(
    name: Name,
    ...args: Parameters<Operations[Name]>
  ): Promise<ReturnType<Operations[Name]>> {
    if (this.#closing) return Promise.reject(new UpstreamError('The store is closed.', { retryable: false }));
    if (this.#broken) return Promise.reject(this.#broken);
    if (this.#queue.length >= MAX_QUEUE) {
      return Promise.reject(
        new UpstreamError('The store does not keep up with what it is asked. Try again in a moment.', {
          retryable: true,
        }),
      );
    }
    return new Promise((resolve, reject) => {
      const settle = (reply: Reply): void => {
        // A write that passed shows that whatever was wrong is over; a refusal is about what was asked, not about the store.
        if (reply.ok && PATIENT.has(name)) this.#failure = null;
        if (reply.ok) return resolve(reply.value as ReturnType<Operations[Name]>);
        const { message, code } = reply.failure;
        if (code?.startsWith('sqlite-')) this.#failure = { message, atMs: performance.now() };
        reject(toRequestError(reply.failure));
      };
      this.#queue.push({ request: { name, args }, settle });
      const patient = PATIENT.has(name);
      if (!patient) this.#impatient += 1;
      // Requests of the same turn of the event loop travel together.
      if (this.#queue.length === 1 || (!patient && this.#gathering)) queueMicrotask(() => this.#send());
    });
  }

  #send(): void {
    if (this.#underway.length > 0 || this.#queue.length === 0 || this.#broken || this.#gathers()) return;
    this.#sentAtMs = performance.now();
    this.#underway = this.#queue.slice(0, MAX_BATCH);
    this.#queue = this.#queue.slice(MAX_BATCH);
    this.#impatient = this.#queue.filter(({ request }) => !PATIENT.has(request.name)).length;
    this.#worker.ref();
    try {
      this.#post({ type: 'batch', requests: this.#underway.map(({ request }) => request) });
    } catch (error) {
      // Something that cannot be cloned: a fault of ours, which must not end the process.
      const failure = describeFailure(error);
      this.#hear({ type: 'batchDone', replies: this.#underway.map(() => ({ ok: false, failure })) });
    }
  }

  /** True while what is queued had better wait for more. */
  #gathers(): boolean {
    const waitMs = this.#sentAtMs + GATHER_MS - performance.now();
    const gathers = waitMs > 0 && this.#impatient === 0 && this.#queue.length < MAX_BATCH;
    if (!gathers) clearTimeout(this.#gathering);
    this.#gathering = gathers ? (this.#gathering ?? setTimeout(() => this.#gathered(), waitMs)) : undefined;
    return gathers;
  }

  #gathered(): void {
    this.#gathering = undefined;
    // A timer may fire a fraction of a millisecond early.
    this.#sentAtMs = Number.NEGATIVE_INFINITY;
    this.#send();
  }

  #hear(message: FromWorker): void {
    if (message.type !== 'batchDone') return;
    const done = this.#underway;
    this.#underway = [];
    this.#send();
    // While nobody waits for an answer, the thread keeps no process alive.
    if (this.#underway.length === 0) this.#worker.unref();
    done.forEach(({ settle }, index) => {
      settle(message.replies[index] ?? lost());
    });
  }

  #break(error: UpstreamError): void {
    this.#broken ??= error;
    clearInterval(this.#timer);
    clearTimeout(this.#gathering);
    const orphans = [...this.#underway, ...this.#queue];
    this.#underway = [];
    this.#queue = [];
    for (const { settle } of orphans) settle(lost());
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}

function lost(): Reply {
  const failure = {
    kind: 'upstream',
    message: 'The store has stopped working. Restart Switchboard.',
    retryable: false,
    detail: 'no answer',
  } as const;
  return { ok: false, failure };
}
