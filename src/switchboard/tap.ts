import type { Call } from '../call/call.ts';
import type { CallCommand } from '../call/commands.ts';
import type { CallEvent } from '../call/events.ts';
import type { Brief, CallId, CallState } from '../call/words.ts';
import type { Audio } from '../media/audio.ts';

/**
 * What listens to one live call beside the scribe, such as a recorder or a meter. It is called in the audio path: nothing here
 * throws, waits or takes long, and nothing of the call depends on it.
 */
export interface Tap {
  /** How many pieces of the callee's audio have been passed on since the last time. Told for every 100, and at the end of the call. */
  frames?(count: number): void;
  /** One piece in 100, when it has been passed on. */
  sampled?(sample: FrameSample): void;
  /** The callee's audio as it came, `mediaMs` on the carrier's clock of the stream; `atMs` is monotonic. */
  heard?(audio: Audio, mediaMs: number, atMs: number): void;
  /** Before the call takes its step. */
  event?(event: CallEvent): void;
  /** The call has taken its step; `commands` are about to be obeyed. */
  stepped?(step: TakenStep): void;
  /** Before the command is obeyed; `audio` comes with a `carrier.play`. */
  command?(command: CallCommand, atMs: number, audio: Audio | undefined): void;
  /** The audio of a `carrier.play` has been handed to the carrier. */
  played?(chunkId: number): void;
  /** The call has come into this state; `ended` comes once. */
  state?(state: CallState, atMs: number): void;
  /** The call has ended. What still has to be put away is waited for before the call counts as ended on disk. */
  ended?(): Promise<void> | undefined;
}

/** `mediaMs` is the carrier's stamp, on its clock of the stream; `tookMs` from when the piece had been read to when it was passed on. */
export interface FrameSample {
  readonly mediaMs: number;
  readonly tookMs: number;
  readonly atMs: number;
}

export interface TakenStep {
  readonly event: CallEvent;
  readonly before: Call;
  readonly after: Call;
  readonly commands: readonly CallCommand[];
}

/** Makes the tap of a call that is about to be placed; null when this call is not listened to. */
export type TapMaker = (call: TappedCall) => Tap | null;

export interface TappedCall {
  readonly callId: CallId;
  readonly brief: Brief;
  readonly carrier: string;
}
