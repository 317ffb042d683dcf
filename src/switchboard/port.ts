import type { CallId, CallState, Line, Usage, Via } from '../call/words.ts';
import type { CallRecord, Match, Note, Recording } from '../store/store.ts';

/**
 * What the edges (MCP, HTTP) may ask of the switchboard. Rejections are the four errors; anything else is a bug.
 * Everything that a stranger said on the telephone (`lines`, `result`, snippets) is untrusted text.
 */
export interface Switchboard {
  /** True when the simulators are in play. */
  readonly simulated: boolean;
  place(request: PlaceRequest): Promise<Placed>;
  /** `polite` says goodbye first. Resolves when the wish is under way; ending a call that has ended is no error. */
  end(callId: string, mode: 'polite' | 'now'): Promise<{ readonly state: CallState; readonly message: string }>;
  call(callId: string): Promise<CallFacts>;
  lines(callId: string, query: { readonly cursor: number; readonly limit: number }): Promise<LinePage>;
  calls(query: {
    readonly state?: CallState;
    readonly limit: number;
    readonly cursor?: string;
  }): Promise<{ readonly calls: readonly CallRecord[]; readonly cursor: string | null }>;
  search(query: {
    readonly text: string;
    readonly limit: number;
    readonly cursor?: string;
  }): Promise<{ readonly matches: readonly Match[]; readonly cursor: string | null }>;
  /** Resolves when there are lines from `cursor` on, when the state changes, when the call has ended, or after `timeoutMs`. */
  waitFor(
    callId: string,
    query: { readonly cursor: number; readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<Progress>;
  readonly recordings: Recordings;
  /** Told after every committed line and change of state. Returns the way to stop it. */
  watch(
    listener: (change: { readonly callId: CallId; readonly kind: 'placed' | 'line' | 'state' | 'ended' }) => void,
  ): () => void;
}

/** The recordings that are kept. Rejections are the same four errors. */
export interface Recordings {
  /** Newest first. */
  list(query: { readonly limit: number }): Promise<readonly RecordingFacts[]>;
  of(callId: string): Promise<readonly RecordingFacts[]>;
  /** The WAV on this machine, also while it is being made; its size alone when that is beyond `mostBytes`. */
  audio(callId: string, mostBytes: number): Promise<Uint8Array | { readonly tooLarge: number }>;
  /** Copies the WAV to a new file, never over another one. */
  save(callId: string, toPath: string): Promise<void>;
}

/** `path` is the file on this machine; null for one that the carrier keeps. */
export interface RecordingFacts extends Recording {
  readonly path: string | null;
}

export interface PlaceRequest {
  readonly to: string;
  readonly context: string;
  readonly language?: string;
  readonly voice?: string;
  readonly maxDurationMs?: number;
  /** Absent: as the settings say. */
  readonly record?: boolean | undefined;
  readonly idempotencyKey?: string;
  /** Absent: the usual one of the settings. */
  readonly via?: Via | undefined;
  /** Extensions that the agent may hand the call over to. */
  readonly transferTo?: readonly string[] | undefined;
}

export interface Placed {
  readonly callId: CallId;
  /** Name of the carrier. */
  readonly carrier: string;
  readonly carrierCallId: string | null;
  readonly state: CallState;
  /** The idempotency key named a call that was placed before. */
  readonly repeated: boolean;
}

export interface CallFacts extends CallRecord {
  readonly usage: Usage;
  readonly timeline: readonly Note[];
}

export interface LinePage {
  readonly lines: readonly Line[];
  /** Where to go on. */
  readonly cursor: number;
}

export interface Progress extends LinePage {
  readonly call: CallRecord;
  readonly done: boolean;
}
