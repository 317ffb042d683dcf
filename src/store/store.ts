import type { Cost } from '../call/cost.ts';
import type { CallId, CallState, Line, Outcome, Usage } from '../call/words.ts';

/**
 * PORT. What we remember. Every method resolves after the change is on disk (committed), in the order of the calls, and
 * never blocks the event loop. Rejections are UpstreamErrors (`retryable` when the store was busy; with a
 * `code` that begins with `refused` when this very request can never be carried out).
 */
export interface Store {
  /**
   * Remembers a call before it is dialled. With the key of an earlier call: the same `fingerprint` gives that call back, another
   * one gives `conflict`, that of a purged call `purged`. A new call for which there is no `room` is not
   * remembered. Safe against other processes doing the same at the same moment.
   */
  createCall(
    call: NewCall,
    room?: Room,
  ): Promise<{
    readonly status: 'created' | 'existing' | 'conflict' | 'purged' | 'full-live' | 'full-recent';
    readonly callId: CallId;
  }>;
  /** What `createCall` would say of a key that an earlier call has; null when none has it. */
  placedUnder(
    idempotencyKey: string,
    fingerprint: string,
  ): Promise<{ readonly status: 'existing' | 'conflict' | 'purged'; readonly callId: CallId } | null>;
  updateCall(callId: CallId, change: CallChange): Promise<void>;
  /** Writes a line, or replaces the one with the same index. */
  putLine(callId: CallId, line: Line): Promise<void>;
  /** With an `entryId` that a note of the call has already, nothing happens. */
  addNote(callId: CallId, note: Note, entryId?: string): Promise<void>;
  /** Adds to the call's usage; with an `entryId` that has been added already, nothing happens. */
  addUsage(callId: CallId, usage: Usage, entryId?: string): Promise<void>;
  /** Remembers a recording, or what has become of it since; one that is over does not go on again. */
  putRecording(recording: Recording): Promise<void>;

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
  /** Newest first; of one call, or of all, or those that are going on. */
  recordings(query: {
    readonly callId?: CallId;
    readonly goingOn?: boolean;
    readonly limit: number;
  }): Promise<readonly Recording[]>;

  /** Calls that ended before `endedBeforeMs` (wall clock), oldest first. */
  purgeable(query: { readonly endedBeforeMs: number; readonly limit: number }): Promise<readonly CallId[]>;
  /**
   * Forgets these calls with all that was said in them, and answers which: one that has not ended, or is not known, stays. Of their
   * idempotency keys a hash is kept until `keepKeysUntilMs`.
   */
  purgeCalls(
    callIds: readonly CallId[],
    times: { readonly nowMs: number; readonly keepKeysUntilMs: number },
  ): Promise<readonly CallId[]>;
  /** Gives the space of what was forgotten back, and leaves no trace of it in the store's files; false when that has to be tried again. */
  scrub(): Promise<boolean>;

  /** Renews this process's lease; the store does it by itself as well. */
  heartbeat(): Promise<void>;
  /** Why nothing can be written down at the moment, in a sentence of ours; null when nothing is known against it. */
  trouble(): string | null;
  /**
   * Stranded calls have not ended, and their process's lease is dead: nobody looks after them. Makes those of this carrier the
   * caller's own, `ending` with `reason`, and returns them: to one process only, and to the next when that one dies as well before
   * it has ended them.
   */
  claimStranded(carrier: string, reason: string): Promise<readonly Stranded[]>;
  /** Writes on calls that are stranded and not claimed that they are `ending`, and why; returns those that did not say so before. */
  markStranded(reason: string): Promise<readonly CallId[]>;
  /** Ends a call that this process has claimed. False when it has ended meanwhile, or is another process's by now. */
  endStranded(callId: CallId, end: { readonly outcome: Outcome; readonly reason: string }): Promise<boolean>;
  /** Calls over the carrier to the number that were created between the two times (wall clock, inclusive), oldest first. */
  callsTo(query: {
    readonly carrier: string;
    readonly to: string;
    readonly fromMs: number;
    readonly untilMs: number;
  }): Promise<readonly CallRecord[]>;
  close(): Promise<void>;
}

/** A call that its process has left behind. `carrierCallId` is null when that process died before it knew it. */
export interface Stranded {
  readonly callId: CallId;
  readonly carrierCallId: string | null;
  readonly to: string;
  readonly createdAtMs: number;
}

export interface NewCall {
  readonly callId: CallId;
  readonly carrier: string;
  readonly to: string;
  readonly context: string;
  readonly language: string;
  readonly voice: string;
  /** Names of the models that the call is billed for. */
  readonly model: string;
  readonly transcriptionModel: string | null;
  readonly simulated: boolean;
  /** Somebody called us; `to` is then the caller. */
  readonly inbound?: boolean;
  /** Where it is known before: of a call that comes in. */
  readonly carrierCallId?: string | null;
  /** Wall clock, milliseconds. */
  readonly createdAtMs: number;
  readonly idempotencyKey: string | null;
  /** Hash of the arguments, to tell the same request from another one under the same key. */
  readonly fingerprint: string;
}

/**
 * How many calls there may be with the new one: of live leases that have not ended, and placed since `recentSinceMs` (wall clock). Those
 * that came in are nothing that was placed.
 */
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
  /** Written once: a cost that is there stays, whatever the prices become. */
  readonly cost?: Cost;
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
  /** Null for calls from before models were remembered. */
  readonly model: string | null;
  readonly transcriptionModel: string | null;
  readonly simulated: boolean;
  readonly inbound: boolean;
  readonly state: CallState;
  readonly outcome: Outcome | null;
  readonly reason: string | null;
  readonly result: string | null;
  readonly createdAtMs: number;
  readonly answeredAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly lineCount: number;
  /** Null until the call has ended. */
  readonly cost: Cost | null;
}

/** A recording of a call. `name` is the file's name, or the carrier's own id of it; `url` is where the carrier keeps it. */
export interface Recording {
  readonly callId: CallId;
  readonly kind: 'local' | 'carrier';
  readonly name: string;
  readonly url: string | null;
  readonly channels: number;
  readonly bytes: number | null;
  readonly durationMs: number | null;
  /** `absent`: the carrier has none after all. */
  readonly state: 'recording' | 'complete' | 'failed' | 'absent';
  readonly reason: string | null;
  /** Wall clock, milliseconds. */
  readonly startedAtMs: number;
}

/** The files of recordings on this machine, one a call: WAV, named after the call's id. Rejections are UpstreamErrors. */
export interface RecordingFolder {
  /** Absolute. @throws UserInputError when the id is none of ours. */
  pathOf(callId: string): string;
  nameOf(callId: string): string;
  /** Begins a file, in place of one that is there. */
  create(callId: string): Promise<RecordingFile>;
  /** The whole file as a sound WAV, also of a recording that is going on or was cut off; its size alone beyond `mostBytes`, null when there is none. */
  read(callId: string, mostBytes: number): Promise<Uint8Array | { readonly tooLarge: number } | null>;
  /** Mends the header of a file that was cut off; null when there is none. */
  repair(callId: string): Promise<RecordingSize | null>;
  /** Copies it to a file that does not exist yet. @throws UserInputError when it does, or cannot be made. */
  copy(callId: string, toPath: string): Promise<void>;
  /** False when there was none. */
  remove(callId: string): Promise<boolean>;
  /** The ids of the calls that there are files of. */
  list(): Promise<readonly string[]>;
}

/** Transcripts of recordings that others keep, by a key of any form. All reject with an UpstreamError when the disk refuses. */
export interface TranscriptFolder {
  /** Null where none is kept. */
  load(key: string): Promise<string | null>;
  save(key: string, text: string): Promise<void>;
  /** Removes those that were kept before then (wall clock, milliseconds), or only counts them. */
  forget(beforeMs: number, options: { readonly dryRun: boolean }): Promise<number>;
}

export interface RecordingSize {
  readonly bytes: number;
  readonly durationMs: number;
}

/** A file that is being written: at any moment, whatever becomes of the process, what was written can be played. */
export interface RecordingFile {
  /** Interleaved stereo, µ-law. */
  append(stereo: Uint8Array): Promise<void>;
  close(): Promise<RecordingSize>;
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

/** What a look at the store found. `schema` is the file's own, `current` the one that this version writes. */
export type StoreLook =
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'sound' | 'older' | 'newer';
      readonly calls: number;
      readonly schema: number;
      readonly current: number;
    }
  /** `detail` is SQLite's own word. */
  | { readonly kind: 'damaged' | 'unreadable'; readonly detail: string };
