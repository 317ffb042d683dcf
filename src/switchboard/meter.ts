import type { CostParts } from '../call/cost.ts';
import type { CallState, Outcome, Usage } from '../call/words.ts';

/** What can go wrong between us and the model, as the figures tell it apart. */
export const MODEL_ERRORS = [
  'refused-key',
  'refused-model',
  'quota',
  'expired',
  'dropped',
  'unreachable',
  'untrusted',
  'configuration',
  'protocol',
  'reply-failed',
  'reply-incomplete',
  'reply-unanswered',
  'reply-stuck',
  'truncate-refused',
  'objection',
] as const;
export type ModelErrorKind = (typeof MODEL_ERRORS)[number];

export const CARRIER_ERRORS = [
  'refused',
  'uncertain',
  'stream-dropped',
  'stream-failed',
  'hang-up-failed',
  'redirect-failed',
] as const;
export type CarrierErrorKind = (typeof CARRIER_ERRORS)[number];

/** From the callee to the model, and from the model to the callee. */
export const DIRECTIONS = ['from_callee', 'to_callee'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** `turn_end`: when the model said that the callee's turn was over. `speech_end`: the silence that ends a turn earlier. */
export const RESPONSE_STARTS = ['turn_end', 'speech_end'] as const;
export type ResponseStart = (typeof RESPONSE_STARTS)[number];

/**
 * Where the figures of all calls go; durations in seconds, as Prometheus wants them. It is called while calls live: nothing here
 * throws, waits or takes long. What is told are numbers and words of ours: never a telephone number, an id or a text from outside.
 */
export interface Meter {
  /** Counted here and read when somebody asks, so that a frame costs one addition. */
  readonly frames: Record<Direction, number>;
  callPlaced(): void;
  /** A call went from one state into another; null before the first and after `ended`. */
  stateChanged(from: CallState | null, to: CallState | null): void;
  /** `talkSeconds` from the answer on; null when nobody answered. */
  callEnded(outcome: Outcome, talkSeconds: number | null): void;
  bridged(direction: Direction, seconds: number): void;
  /** How much later a frame of the callee came than the promptest of its stream lately. */
  frameCame(lateSeconds: number): void;
  responded(since: ResponseStart, seconds: number): void;
  /** The longest that this call's callee waited for an answer. */
  longestWait(seconds: number): void;
  interrupted(): void;
  /** The model was told to forget what comes after so much of an item. */
  truncated(heardSeconds: number): void;
  /** Audio of ours that was never heard. */
  discarded(seconds: number): void;
  modelFailed(kind: ModelErrorKind): void;
  modelRenewed(): void;
  carrierFailed(kind: CarrierErrorKind): void;
  used(usage: Usage): void;
  /** What a call that has ended cost, in US dollars by the price table. */
  spent(parts: CostParts): void;
  /** Something is being written down; to be called when it is on disk or was given up. */
  storing(): () => void;
}
