import type { ReplyPurpose, SeedTurn, TurnSpec } from '../call/commands.ts';
import type { ModelEvent } from '../call/events.ts';
import type { CallId } from '../call/words.ts';
import type { Audio } from '../media/audio.ts';

/**
 * PORT. Who speaks for us. A model knows no carrier.
 *
 * Contract: nothing throws; failure is a session's last event, `model.failed`, after which it is closed and silent. `open` is
 * not ready: `model.ready` comes when the server has confirmed the session's settings and seed. `close` is final, idempotent, also while connecting, and nothing is emitted after it.
 * The audio of a `model.spoke` comes with it and belongs to the receiver. Tool calls are reported only when complete.
 */
export interface Model {
  readonly name: string;
  /** What the vendor's bill will name: the speech model, and the model that writes down the callee's words, if there is one. */
  readonly billed: { readonly model: string; readonly transcriptionModel: string | null };
  /** The voices there are; absent where only the server knows. */
  readonly voices?: readonly string[];
  open(spec: SessionSpec, emit: (event: ModelEvent, audio?: Audio) => void): ModelSession;
}

export interface SessionSpec {
  readonly callId: CallId;
  readonly instructions: string;
  readonly voice: string;
  /** BCP 47. */
  readonly language: string;
  readonly tools: readonly ModelTool[];
  readonly seed: readonly SeedTurn[];
  readonly turn: TurnSpec;
}

/** A function that the model may call during the call; `parameters` is a JSON Schema. */
export interface ModelTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface ReplyRequest {
  readonly requestId: string;
  readonly purpose: ReplyPurpose;
  readonly instructions?: string;
  /** Whether tools may be called in this reply. */
  readonly tools: boolean;
}

export interface ModelSession {
  /** The caller's audio, 20 ms or so a time. Dropped before `model.ready`: the bridge holds it until then. */
  append(audio: Audio): void;
  configure(turn: TurnSpec): void;
  reply(request: ReplyRequest): void;
  cancel(replyId: string): void;
  truncate(itemId: string, contentIndex: number, audioEndMs: number): void;
  remember(text: string): void;
  answerTool(toolCallId: string, output: string): void;
  commitInput(): void;
  close(): void;
}
