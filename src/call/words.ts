/** The words of a call: ids, states, outcomes, the brief and the line. Shapes that clients rely on. */

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Our own id of a call; never the carrier's. */
export type CallId = Branded<'CallId'>;

export const CALL_STATES = ['queued', 'dialling', 'ringing', 'answered', 'ending', 'ended'] as const;
export type CallState = (typeof CALL_STATES)[number];

export const OUTCOMES = [
  'completed',
  'callee-hung-up',
  'no-answer',
  'busy',
  'failed',
  'canceled',
  'refused',
  'limit',
  'error',
  'unknown',
  'transferred',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** The carriers that there are, by the names that a request may choose between. */
export const VIAS = ['twilio', 'asterisk', '3cx'] as const;
export type Via = (typeof VIAS)[number];

export type Speaker = 'agent' | 'callee' | 'system';

/** Why we call, and how: stays on the server under the call's id. Durations in milliseconds. */
export interface Brief {
  /** E.164, or an extension of the telephone system. */
  readonly to: string;
  /** What the agent shall achieve, in the words of whoever asked for the call. */
  readonly context: string;
  /** BCP 47 tag of the language to speak, such as `en` or `pt-BR`. */
  readonly language: string;
  readonly voice: string;
  /** The first sentence says that an AI is calling. */
  readonly disclose: boolean;
  /** The call is recorded, and the first sentence says so. */
  readonly record?: boolean;
  /** Somebody called us: `to` is then the caller. */
  readonly inbound?: boolean;
  /** Extensions that the agent may hand the telephone over to; nobody on the telephone can name another one. */
  readonly transferTo?: readonly string[];
}

export interface Limits {
  readonly ringMs: number;
  /** How long the callee may be silent after the stream starts before the agent opens. */
  readonly firstSpeechMs: number;
  readonly silenceMs: number;
  readonly callMs: number;
}

/** What a carrier can and cannot do, as data. */
export interface CarrierTraits {
  /** Most audio, in milliseconds, that the carrier's playback buffer takes; more would be thrown away. */
  readonly lookAheadMs: number;
  /** So much audio, in milliseconds, is on its way already when it is cleared, and is heard all the same; 0 where absent. */
  readonly clearLeavesMs?: number;
  /** After a clear, are the pending marks echoed? (The core relies on neither answer; the contract suite does.) */
  readonly clearEchoesMarks: boolean;
  /** Can the carrier speak a sentence by itself when the model is dead? */
  readonly canSay: boolean;
  /** Does the carrier ask how to go on when a stream ends, so that the stream can be attached again? */
  readonly canReattach: boolean;
  readonly canSendDigits: boolean;
  /** Can it hand the telephone over to somebody else? */
  readonly canTransfer?: boolean;
  /** So long it may take until it is known whether that has worked, with somebody else's telephone ringing meanwhile; as long as a hang-up where absent. */
  readonly transferMs?: number;
}

/** One line of the transcript; times count from the stream's start. */
export interface Line {
  readonly index: number;
  readonly speaker: Speaker;
  /** What was heard. */
  readonly text: string;
  /** What the agent meant to say, when it differs from what was heard. */
  readonly planned?: string;
  readonly interrupted: boolean;
  /** `text` of an interrupted line is cut by time, so it is an estimate. */
  readonly estimated: boolean;
  readonly startMs: number;
  readonly endMs: number;
  readonly final: boolean;
}

/** What one reply or one transcription used, as the model counted it. Cached tokens are part of the input tokens. */
export interface Usage {
  readonly inputTextTokens: number;
  readonly inputAudioTokens: number;
  readonly cachedTextTokens: number;
  readonly cachedAudioTokens: number;
  readonly outputTextTokens: number;
  readonly outputAudioTokens: number;
  /** The callee's words are written down by a model of its own, which counts either the audio's length or tokens. */
  readonly transcribedMs: number;
  readonly transcriptionInputTokens: number;
  readonly transcriptionOutputTokens: number;
}

export const NO_USAGE: Usage = {
  inputTextTokens: 0,
  inputAudioTokens: 0,
  cachedTextTokens: 0,
  cachedAudioTokens: 0,
  outputTextTokens: 0,
  outputAudioTokens: 0,
  transcribedMs: 0,
  transcriptionInputTokens: 0,
  transcriptionOutputTokens: 0,
};

export function addUsage(one: Usage, other: Usage): Usage {
  const keys = Object.keys(NO_USAGE) as (keyof Usage)[];
  return Object.fromEntries(keys.map((key) => [key, one[key] + other[key]])) as Readonly<Record<keyof Usage, number>>;
}
