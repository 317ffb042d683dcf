/** What the two threads of the store say to each other. Everything here crosses by structured clone. */
import type { CallId, CallState, Line, Outcome, Usage } from '../../call/words.ts';
import type { ProcessIdentity } from '../../process-identity.ts';
import type { CallChange, CallRecord, Match, NewCall, Note, Recording, Room, Stranded } from '../store.ts';

/** Who holds a lease. */
export interface Holder extends ProcessIdentity {
  readonly leaseId: string;
}

/** The time and the lease of the process that asks. Times come with the request, so the worker needs no clock. */
export interface Asker {
  readonly holder: Holder;
  readonly nowMs: number;
  readonly leaseTtlMs: number;
  /** Since when this process has the store open. */
  readonly watchingSinceMs: number;
}

export interface Earlier {
  readonly status: 'existing' | 'conflict' | 'purged';
  readonly callId: CallId;
}

export interface Created {
  readonly status: Earlier['status'] | 'created' | 'full-live' | 'full-recent';
  readonly callId: CallId;
}

/** The operations of the database, synchronous; the worker runs them in the order of the requests. */
export interface Operations {
  createCall(call: NewCall, asker: Asker, room?: Room): Created;
  placedUnder(idempotencyKey: string, fingerprint: string): Earlier | null;
  updateCall(callId: CallId, change: CallChange): void;
  putLine(callId: CallId, line: Line): void;
  addNote(callId: CallId, note: Note, entryId?: string): void;
  addUsage(callId: CallId, usage: Usage, entryId?: string): void;
  putRecording(recording: Recording): void;
  recordings(query: {
    readonly callId?: CallId;
    readonly goingOn?: boolean;
    readonly limit: number;
  }): readonly Recording[];
  purgeable(query: { readonly endedBeforeMs: number; readonly limit: number }): readonly CallId[];
  purgeCalls(
    callIds: readonly CallId[],
    times: { readonly nowMs: number; readonly keepKeysUntilMs: number },
  ): readonly CallId[];
  scrub(): boolean;
  heartbeat(asker: Asker): void;
  claimStranded(asker: Asker, carrier: string, reason: string): readonly Stranded[];
  markStranded(asker: Asker, reason: string): readonly CallId[];
  endStranded(asker: Asker, callId: CallId, end: { readonly outcome: Outcome; readonly reason: string }): boolean;
  releaseLease(leaseId: string): void;
  call(callId: CallId): CallRecord | null;
  calls(query: { readonly state?: CallState; readonly limit: number; readonly before?: number }): readonly CallRecord[];
  callsTo(query: {
    readonly carrier: string;
    readonly to: string;
    readonly fromMs: number;
    readonly untilMs: number;
  }): readonly CallRecord[];
  lines(callId: CallId, query: { readonly from: number; readonly limit: number }): readonly Line[];
  notes(callId: CallId): readonly Note[];
  usage(callId: CallId): Usage;
  search(query: { readonly text: string; readonly limit: number; readonly offset: number }): readonly Match[];
}

export type OperationName = keyof Operations;

export interface Request {
  readonly name: OperationName;
  readonly args: readonly unknown[];
}

/** An error in a form that crosses threads; `kind` says which of our errors it becomes. */
export interface Failure {
  readonly kind: 'config' | 'upstream';
  readonly message: string;
  readonly retryable: boolean;
  readonly code?: string;
  /** The database's own words, for the log only. */
  readonly detail: string;
}

export type Reply = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly failure: Failure };

/** To the worker: requests that were queued together, or the wish to close. */
export type ToWorker = { readonly type: 'batch'; readonly requests: readonly Request[] } | { readonly type: 'close' };

/** From the worker. `replies` stand in the order of the batch's requests. */
export type FromWorker =
  | { readonly type: 'opened' }
  | { readonly type: 'notOpened'; readonly failure: Failure }
  | { readonly type: 'batchDone'; readonly replies: readonly Reply[] };

export interface WorkerSettings {
  readonly dataDir: string;
  readonly file: string;
  readonly busyTimeoutMs: number;
  readonly pages?: Int32Array | undefined;
}
