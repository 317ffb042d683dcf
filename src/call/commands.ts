/** Everything that a call may want. The shell obeys in order; none of these is answered by a return value, only by events. */
import type { LineStatus, TimerName } from './events.ts';
import type { Line, Outcome, Speaker, Usage } from './words.ts';

/** Most urgent first: one pending create a purpose. */
export const REPLY_PURPOSES = ['goodbye', 'answer', 'operator', 'nudge', 'opener'] as const;
export type ReplyPurpose = (typeof REPLY_PURPOSES)[number];

/**
 * How the model's server takes turns. `create`: it answers by itself when a turn ends. `interrupt`: it cancels its reply by
 * itself when speech starts. `silenceMs`: silence that ends a turn. `guarded`: a higher threshold, after interruptions without words.
 */
export interface TurnSpec {
  readonly create: boolean;
  readonly interrupt: boolean;
  readonly silenceMs: number;
  readonly guarded: boolean;
}

export function isSameTurn(one: TurnSpec, other: TurnSpec): boolean {
  return (
    one.create === other.create &&
    one.interrupt === other.interrupt &&
    one.silenceMs === other.silenceMs &&
    one.guarded === other.guarded
  );
}

/** A turn of the conversation so far, to seed a new model session with. */
export interface SeedTurn {
  readonly speaker: Speaker;
  readonly text: string;
}

export type CarrierCommand =
  | { readonly type: 'carrier.dial'; readonly to: string; readonly ringMs: number; readonly maxMs: number }
  | { readonly type: 'carrier.play'; readonly chunkId: number }
  | { readonly type: 'carrier.mark'; readonly generation: number; readonly markId: number }
  | { readonly type: 'carrier.clear'; readonly generation: number }
  /** `say`: speak `text` and hang up, now when the stream is live, else when the carrier asks how to go on. `reattach`: connect a stream again when it asks. */
  | { readonly type: 'carrier.redirect'; readonly plan: 'reattach' }
  /** `language` is that of the text, which is not always the call's. */
  | { readonly type: 'carrier.redirect'; readonly plan: 'say'; readonly text: string; readonly language: string }
  /** Hand the telephone over; `carrier.redirected` follows. */
  | { readonly type: 'carrier.redirect'; readonly plan: 'transfer'; readonly to: string }
  | { readonly type: 'carrier.sendDigits'; readonly digits: string }
  | { readonly type: 'carrier.inquire' }
  | { readonly type: 'carrier.hangUp' }
  /** The call is over for us: close its socket, forget its tokens. */
  | { readonly type: 'carrier.release' };

export type ModelCommand =
  | { readonly type: 'model.open'; readonly epoch: number; readonly seed: readonly SeedTurn[]; readonly turn: TurnSpec }
  | { readonly type: 'model.configure'; readonly turn: TurnSpec }
  | {
      readonly type: 'model.reply';
      readonly requestId: string;
      readonly purpose: ReplyPurpose;
      readonly instructions?: string;
      readonly tools: boolean;
    }
  | { readonly type: 'model.cancel'; readonly replyId: string }
  | {
      readonly type: 'model.truncate';
      readonly itemId: string;
      readonly contentIndex: number;
      readonly audioEndMs: number;
    }
  /** A system message into the conversation, without a reply. */
  | { readonly type: 'model.remember'; readonly text: string }
  | { readonly type: 'model.answerTool'; readonly toolCallId: string; readonly output: string }
  | { readonly type: 'model.commitInput' }
  | { readonly type: 'model.close'; readonly epoch: number };

/** Where the caller's audio goes: kept (the last `keepMs` of it), to the model (what was kept first), or nowhere. */
export type UplinkTarget = 'hold' | 'model' | 'off';

/** A line in its place, with the model's item that it came from. Told lines are final. */
export type ToldLine = Omit<Line, 'final'> & { readonly itemId: string };

export type ScribeCommand =
  | ({ readonly type: 'scribe.line' } & ToldLine)
  | {
      readonly type: 'scribe.note';
      readonly kind: string;
      readonly data: Readonly<Record<string, string | number | boolean | null>>;
    }
  | { readonly type: 'scribe.usage'; readonly usage: Usage }
  | {
      readonly type: 'scribe.ended';
      readonly outcome: Outcome;
      readonly reason: string;
      readonly lineStatus: LineStatus | null;
      readonly result: string | null;
    };

export type CallCommand =
  | CarrierCommand
  | ModelCommand
  | ScribeCommand
  | { readonly type: 'uplink.set'; readonly to: UplinkTarget; readonly keepMs: number }
  /** The audio of this chunk will never be played. */
  | { readonly type: 'chunk.drop'; readonly chunkId: number }
  /** Replaces a timer of the same name; `setId` makes a stale one harmless. */
  | { readonly type: 'timer.set'; readonly name: TimerName; readonly atMs: number; readonly setId: number }
  | { readonly type: 'timer.clear'; readonly name: TimerName };
