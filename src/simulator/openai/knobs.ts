import type { NetworkOptions } from '../network/network.ts';
import type { Brain } from './brain.ts';

/** How one response goes wrong. The first three end it `failed`, the others `incomplete` after some of its audio. */
export type ResponseFault =
  | 'insufficient_quota'
  | 'rate_limit_exceeded'
  | 'server_error'
  | 'content_filter'
  | 'max_output_tokens';

/** What the separate transcription pass makes of one turn. The default is the text of what was understood. */
export type TranscriptionFault =
  | { readonly kind: 'failed' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'never' };

/** Behaviours of the service that differ from day to day, or that nobody has pinned down. Times in milliseconds. */
export interface RealtimeKnobs {
  /** Audio comes this many times faster than it plays. */
  readonly burstFactor: number;
  /** Lengths of the audio deltas, used in turn; fractions of a millisecond make odd byte counts. */
  readonly deltaMs: readonly number[];
  /** From `response.created` to the first audio. */
  readonly firstAudioDelayMs: number;
  /** How far the words run ahead of the sound. */
  readonly transcriptLeadMs: number;
  /** From the end of a turn to the server's own `response.created`: time for a client's create to come first. */
  readonly ownReplyDelayMs: number;
  /** Audio deltas still sent after a response was cancelled: before its `.done` events, or even after its `response.done`. */
  readonly lateDeltas: { readonly count: number; readonly when: 'before-done' | 'after-done' };
  /** From `committed` to the transcription; a list is used in turn, so that they come in any order. */
  readonly transcriptionDelayMs: readonly number[];
  /** By the number of the turn, from 0. */
  readonly transcriptionFaults: Readonly<Record<number, TranscriptionFault>>;
  /** The text for a turn that was not understood: null ⇒ an empty transcript. */
  readonly misheardText: string | null;
  /** By the number of the response, from 0. */
  readonly responseFaults: Readonly<Record<number, ResponseFault>>;
  /** Whether an error names the client event it answers; the real service was seen to send null always. */
  readonly errorEventIds: 'null' | 'echo';
  /** Lax: a truncation beyond the audio's length is refused and then done all the same, clamped. */
  readonly truncateBeyondEnd: 'strict' | 'lax';
  /** Random padding text on every delta. */
  readonly obfuscation: boolean;
  /** From `response.done` to `rate_limits.updated`. */
  readonly rateLimitsDelayMs: number;
  readonly pingMs: number;
  /** The session's lifetime: 60 minutes at OpenAI, after which it closes with 1001. */
  readonly maxSessionMs: number;
  /** From the upgrade to `session.created`. */
  readonly sessionCreatedDelayMs: number;
  /** Upgrades to refuse with this HTTP status, in turn; null lets one through. */
  readonly refuseUpgrades: readonly (number | null)[];
  /** Connections are turned away after the upgrade with this error, `sessionCreatedDelayMs` after it; null lets them in. */
  readonly refuseSessions: 'invalid_api_key' | 'invalid_model' | 'insufficient_quota' | null;
  /** Asked for a response, the service says nothing more; it still listens, and lives. */
  readonly neverAnswers: boolean;
  /** Cuts the connection without a close frame (1006) in the middle of a response. `response` counts from 0 in a session. */
  readonly killDuring: { readonly session: number; readonly response: number; readonly afterAudioMs: number } | null;
}

export const DEFAULT_KNOBS: RealtimeKnobs = {
  burstFactor: 4,
  deltaMs: [200],
  firstAudioDelayMs: 300,
  transcriptLeadMs: 1_500,
  ownReplyDelayMs: 0,
  lateDeltas: { count: 0, when: 'before-done' },
  transcriptionDelayMs: [350],
  transcriptionFaults: {},
  misheardText: 'Bye.',
  responseFaults: {},
  errorEventIds: 'null',
  truncateBeyondEnd: 'strict',
  obfuscation: true,
  rateLimitsDelayMs: 43,
  pingMs: 20_000,
  maxSessionMs: 3_600_000,
  sessionCreatedDelayMs: 5,
  refuseUpgrades: [],
  refuseSessions: null,
  neverAnswers: false,
  killDuring: null,
};

export interface RealtimeSimulatorOptions extends Partial<RealtimeKnobs> {
  readonly brain: Brain;
  /** The one key that is let in. */
  readonly apiKey?: string;
  /** `beta` speaks the flat shape of 2024 and then requires its header. */
  readonly dialect?: 'ga' | 'beta';
  /** PEM; the server is then `wss:`. */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly network?: NetworkOptions;
  /** 0 takes a free port. */
  readonly port?: number;
}
