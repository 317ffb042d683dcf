import type { CallId, CallState, Line, Outcome, Usage } from '../call/words.ts';

/**
 * PORT. What we remember. Every method resolves after the change is on disk (committed), in the order of the calls, and
 * never blocks the event loop. Rejections are UpstreamErrors (`retryable` when the store was busy).
 */
export interface Store {
  /**
   * Remembers a call before it is dialled. With the key of an earlier call: the same `fingerprint` gives that call back, another
   * one gives `conflict`. A new call for which there is no `room` is not remembered. Safe against other processes doing the same
   * at the same moment.
   */
  createCall(
    call: NewCall,
    room?: Room,
  ): Promise<{
    readonly status: 'created' | 'existing' | 'conflict' | 'full-live' | 'full-recent';
    readonly callId: CallId;
  }>;
  /** What `createCall` would say of a key that an earlier call has; null when none has it. */
  placedUnder(
    idempotencyKey: string,
    fingerprint: string,
  ): Promise<{ readonly status: 'existing' | 'conflict'; readonly callId: CallId } | null>;
  updateCall(callId: CallId, change: CallChange): Promise<void>;
  /** Writes a line, or replaces the one with the same index. */
  putLine(callId: CallId, line: Line): Promise<void>;
  addNote(callId: CallId, note: Note): Promise<void>;
  addUsage(callId: CallId, usage: Usage): Promise<void>;

  call(callId: CallId): Promise<CallRecord | null>;
  /** Newest first. `before` is the `position` of the last call of the page before. */
  calls(query: {
    readonly state?: CallState;
    readonly limit: number;
    readonly before?: number;
  }): Promise<readonly CallRecord[]>;
  lines(callId: CallId, query: { readonly from: number; readonly limit: number }): Promise<readonly Line[]>;
  notes(callId: CallId): Promise<readonly Note[]>;
  usage(callId: CallId): Promise<Usage>;
  /** Full-text search in lines, best first; `query` is plain words, never an FTS expression. */
  search(query: { readonly text: string; readonly limit: number; readonly offset: number }): Promise<readonly Match[]>;

  /** Renews this process's lease; the store does it by itself as well. */
  heartbeat(): Promise<void>;
  /**
   * Marks calls whose process's lease is dead as ended, with a sentence, and returns them once, to one process only. The outcome is
   * `error`; `unknown` where the carrier's id was never stored, so that the call may have been dialled or not.
   */
  takeStranded(): Promise<
    readonly { readonly callId: CallId; readonly carrier: string; readonly carrierCallId: string | null }[]
  >;
  close(): Promise<void>;
}

export interface NewCall {
  readonly callId: CallId;
  readonly carrier: string;
  readonly to: string;
  readonly context: string;
  readonly language: string;
  readonly voice: string;
  readonly simulated: boolean;
  /** Wall clock, milliseconds. */
  readonly createdAtMs: number;
  readonly idempotencyKey: string | null;
  /** Hash of the arguments, to tell the same request from another one under the same key. */
  readonly fingerprint: string;
}

/** How many calls there may be with the new one: of live leases that have not ended, and created since `recentSinceMs` (wall clock). */
export interface Room {
  readonly live: number;
  readonly recent: number;
  readonly recentSinceMs: number;
}

export interface CallChange {
  readonly state?: CallState;
  readonly carrierCallId?: string;
  readonly answeredAtMs?: number;
  readonly endedAtMs?: number;
  readonly outcome?: Outcome;
  readonly reason?: string;
  /** What the agent reported when it ended the call: untrusted, it repeats what a stranger said. */
  readonly result?: string | null;
}

export interface CallRecord {
  readonly callId: CallId;
  /** Grows with every call of this store; a page cursor. */
  readonly position: number;
  readonly carrier: string;
  readonly carrierCallId: string | null;
  readonly to: string;
  readonly context: string;
  readonly language: string;
  readonly voice: string;
  readonly simulated: boolean;
  readonly state: CallState;
  readonly outcome: Outcome | null;
  readonly reason: string | null;
  readonly result: string | null;
  readonly createdAtMs: number;
  readonly answeredAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly lineCount: number;
}

/** An entry of a call's timeline. `atMs` is wall clock. */
export interface Note {
  readonly atMs: number;
  readonly kind: string;
  readonly data: Readonly<Record<string, string | number | boolean | null>>;
}

export interface Match {
  readonly callId: CallId;
  readonly to: string;
  readonly createdAtMs: number;
  readonly line: Line;
  /** Around the words that were found, which stand between « and ». */
  readonly snippet: string;
}
