/** Everything that can happen to a call. `atMs` is monotonic; the shell stamps it, the core has no clock. */
import type { Timing } from './timing.ts';
import type { Brief, CarrierTraits, Limits, Usage } from './words.ts';

/** What a carrier says of the telephone call, in ranked order; the last five are terminal and absorb. */
export type LineStatus =
  | 'queued'
  | 'dialling'
  | 'ringing'
  | 'answered'
  | 'completed'
  | 'busy'
  | 'no-answer'
  | 'failed'
  | 'canceled';

export type RequestEvent = {
  readonly type: 'call.requested';
  readonly brief: Brief;
  readonly limits: Limits;
  readonly traits: CarrierTraits;
  readonly policy: CallPolicy;
  /** Where it is absent, the usual times. */
  readonly timing?: Timing;
};

/** Settings of the conversation that the core decides by. */
export interface CallPolicy {
  /** The model's server cancels its reply by itself when speech starts. */
  readonly serverInterrupts: boolean;
  /** End-pointing of a normal turn, and of the first. */
  readonly turnSilenceMs: number;
  readonly firstTurnSilenceMs: number;
}

export type OperatorEvent =
  | { readonly type: 'operator.ended'; readonly mode: 'polite' | 'now' }
  | { readonly type: 'server.draining'; readonly graceMs: number };

/** `reason` is a sentence of ours. `statusCode` is the carrier's own, for the record. */
export type CarrierEvent =
  | { readonly type: 'carrier.bound'; readonly carrierCallId: string | null }
  | { readonly type: 'carrier.refused'; readonly code: string; readonly reason: string }
  | { readonly type: 'carrier.uncertain'; readonly reason: string }
  | {
      readonly type: 'carrier.progressed';
      readonly status: LineStatus;
      readonly source: 'webhook' | 'inquiry';
      readonly code?: string;
    }
  /** The inquiry of an uncertain dial came back without finding the call. */
  | { readonly type: 'carrier.notFound' }
  | { readonly type: 'carrier.streamStarted'; readonly epoch: number }
  | { readonly type: 'carrier.streamEnded'; readonly epoch: number; readonly how: 'stopped' | 'dropped' }
  /** One that was asked for never came up, and the carrier asks how to go on. */
  | { readonly type: 'carrier.streamFailed'; readonly epoch: number }
  | {
      readonly type: 'carrier.markEchoed';
      readonly epoch: number;
      readonly generation: number;
      readonly markId: number;
    }
  | { readonly type: 'carrier.digitPressed'; readonly digit: string }
  | { readonly type: 'carrier.hungUp'; readonly outcome: 'done' | 'gone' | 'failed' }
  | { readonly type: 'carrier.redirected'; readonly outcome: 'done' | 'failed' }
  | { readonly type: 'carrier.digitsSent'; readonly ok: boolean };

export type ModelFailure =
  | 'refused-key'
  | 'refused-model'
  | 'quota'
  | 'expired'
  | 'dropped'
  | 'unreachable'
  | 'untrusted'
  | 'configuration'
  | 'protocol';

/** `conversation_already_has_active_response` and its kin, in our words. */
export type ModelObjection = 'reply-active' | 'nothing-to-cancel' | 'truncate-refused' | 'other';

export type ReplyStatus = 'completed' | 'cancelled' | 'failed' | 'incomplete';

/**
 * What a model port says; the shell adds `epoch` (which session of this call) and `atMs`.
 * `requestId` is null on a reply that the server started by itself.
 */
export type ModelEvent =
  | { readonly type: 'model.ready'; readonly expiresAtMs: number | null }
  | { readonly type: 'model.failed'; readonly kind: ModelFailure; readonly retryable: boolean; readonly code?: string }
  | {
      readonly type: 'model.objected';
      readonly objection: ModelObjection;
      readonly requestId: string | null;
      readonly code?: string;
    }
  | { readonly type: 'model.speechStarted'; readonly itemId: string; readonly audioMs: number }
  | { readonly type: 'model.speechStopped'; readonly itemId: string; readonly audioMs: number }
  | { readonly type: 'model.committed'; readonly itemId: string; readonly previousItemId: string | null }
  | {
      readonly type: 'model.itemAdded';
      readonly itemId: string;
      readonly previousItemId: string | null;
      readonly role: ItemRole;
    }
  | { readonly type: 'model.replyCreated'; readonly replyId: string; readonly requestId: string | null }
  | {
      readonly type: 'model.spoke';
      readonly replyId: string;
      readonly itemId: string;
      readonly contentIndex: number;
      readonly chunkId: number;
      readonly bytes: number;
    }
  /** `text` is appended to the item's words, or replaces them when `whole`. */
  | {
      readonly type: 'model.worded';
      readonly replyId: string;
      readonly itemId: string;
      readonly text: string;
      readonly whole: boolean;
    }
  /** Only complete calls: a call of a cancelled reply is never reported. `args` is the raw JSON text. */
  | {
      readonly type: 'model.toolCalled';
      readonly replyId: string;
      readonly itemId: string;
      readonly toolCallId: string;
      readonly name: string;
      readonly args: string;
    }
  /** Nothing more will be added to this item. */
  | { readonly type: 'model.itemDone'; readonly itemId: string; readonly complete: boolean }
  | {
      readonly type: 'model.replyDone';
      readonly replyId: string;
      readonly status: ReplyStatus;
      readonly reason?: string;
      readonly retryable?: boolean;
      readonly usage?: Usage;
    }
  /** `text` is null when the transcription failed. */
  | {
      readonly type: 'model.transcribed';
      readonly itemId: string;
      readonly text: string | null;
      readonly usage?: Usage;
    }
  | { readonly type: 'model.truncated'; readonly itemId: string; readonly audioEndMs: number };

export type ItemRole = 'callee' | 'agent' | 'other';

export const TIMER_NAMES = [
  'ring',
  'inquire',
  'join',
  'renew',
  'deadAir',
  'firstSpeech',
  'pace',
  'slot',
  'answer',
  'retry',
  'silence',
  'waiting',
  'closing',
  'warn',
  'limit',
  'ending',
  'grace',
  'detached',
  'hangUp',
  'lines',
  'settle',
] as const;
export type TimerName = (typeof TIMER_NAMES)[number];

export type TimerEvent = { readonly type: 'timer.fired'; readonly name: TimerName; readonly setId: number };

type Stamped<E> = E extends unknown ? E & { readonly atMs: number } : never;
type OfEpoch<E> = E extends unknown ? E & { readonly epoch: number } : never;

/** A model event as the core sees it: `epoch` says which of the call's model sessions spoke. */
export type EpochModelEvent = OfEpoch<ModelEvent>;

export type CallEvent = Stamped<RequestEvent | OperatorEvent | CarrierEvent | EpochModelEvent | TimerEvent>;
