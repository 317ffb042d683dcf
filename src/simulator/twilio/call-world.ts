import type { Answer } from '../callee/callee.ts';
import type { NetworkOptions } from '../network/network.ts';
import type { Phrase } from '../speech/phrasebook.ts';
import type { TwilioKnobs } from './knobs.ts';

/** The account and the world around one call. */
export interface CallWorld {
  readonly accountSid: string;
  readonly authToken: string;
  readonly secondaryAuthToken: string | null;
  readonly knobs: TwilioKnobs;
  readonly network: NetworkOptions;
  readonly seed: number;
  readonly phrases: readonly Phrase[] | null;
  readonly ca: string | Buffer | undefined;
  readonly answer: (to: string) => Answer;
  newSid(prefix: string): string;
  readonly closing: AbortSignal;
}

/** Of a recording that the create asked for. */
export interface RecordingSettings {
  readonly channels: 'mono' | 'dual';
  readonly trim: 'trim-silence' | 'do-not-trim';
  readonly callback: string | null;
  readonly callbackMethod: 'GET' | 'POST';
  readonly callbackEvents: readonly string[];
}

/** What a create asked for. */
export interface CallSettings {
  readonly to: string;
  readonly from: string;
  readonly url: string | null;
  readonly method: 'GET' | 'POST';
  readonly twiml: string | null;
  readonly statusCallback: string | null;
  readonly statusCallbackMethod: 'GET' | 'POST';
  readonly statusCallbackEvents: readonly string[];
  readonly timeoutMs: number;
  readonly timeLimitMs: number;
  /** Null when the call is not recorded. */
  readonly recording: RecordingSettings | null;
}
