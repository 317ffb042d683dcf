import type { CarrierEvent } from '../call/events.ts';
import type { CallId, CarrierTraits } from '../call/words.ts';
import type { Audio } from '../media/audio.ts';

/**
 * PORT. A way by which a voice reaches us. A carrier knows no model and decides nothing about a conversation.
 *
 * Contract: no method throws or rejects (except `preflight`, which rejects with one of the four errors); failure is an event.
 * `dial` places at most one telephone call and never repeats a create. Events of a line stop after `release`.
 * `emit` is called synchronously where an answer depends on it: when the carrier asks how to go on after a stream, the
 * stream's end is emitted first, and a `redirect` made inside that call decides the answer.
 */
export interface Carrier {
  readonly name: string;
  /** It keeps a recording of its own of each call that is recorded, and charges for it. */
  readonly keepsRecordings?: boolean;
  readonly traits: CarrierTraits;
  /** The routes that the carrier's own servers call; mounted on the public listener. */
  readonly webhooks: readonly Webhook[];
  readonly sockets: readonly SocketRoute[];
  /** Resolves when the carrier's way to us works; rejects with a ConfigError or UpstreamError that says what to do. Cached for a while. */
  preflight(): Promise<void>;
  line(options: LineOptions): Line;
  /** Ends a telephone call that a dead process left behind. */
  hangUpStranded(carrierCallId: string): Promise<'done' | 'gone' | 'failed'>;
  /**
   * The calls from us to this number that the carrier says were created between the two times (wall clock; its own clock may
   * differ by seconds, so a little more is given), oldest first: to find one whose process died before it knew its id. Calls that
   * lines of this process hold are left out. `failed`: the carrier did not say.
   */
  listCalls(query: {
    readonly to: string;
    readonly fromMs: number;
    readonly untilMs: number;
  }): Promise<readonly ListedCall[] | 'failed'>;
  close(): void;
}

export interface ListedCall {
  readonly carrierCallId: string;
  /** It has not come to its end. */
  readonly isLive: boolean;
}

export interface LineOptions {
  readonly callId: CallId;
  /** The carrier makes a recording of its own as well, where it is set up to. */
  readonly record?: boolean;
  readonly emit: (event: CarrierEvent) => void;
  /** The callee's audio. `mediaMs` is the carrier's own clock of the stream, in milliseconds since its start. */
  readonly hear: (audio: Audio, mediaMs: number) => void;
}

/** A recording that the carrier made of a call and keeps. `url` holds no credentials; its sound needs them. */
export interface CarrierRecording {
  readonly callId: CallId;
  readonly carrierCallId: string;
  /** The carrier's own id of the recording. */
  readonly name: string;
  readonly url: string | null;
  readonly channels: number;
  readonly durationMs: number | null;
  readonly state: 'recording' | 'complete' | 'absent' | 'failed';
  /** Wall clock, milliseconds. */
  readonly startedAtMs: number;
}

/** What became of news of a recording; `foreign`: it is of another call than it was said to be. */
export type Heard = 'stored' | 'unknown' | 'foreign';

/** `language` is the text's, BCP 47. */
export type Redirection =
  | { readonly plan: 'reattach' }
  | { readonly plan: 'say'; readonly text: string; readonly language: string }
  /** The telephone goes on at another one; our part of the call is over when `carrier.redirected` says that it is done. */
  | { readonly plan: 'transfer'; readonly to: string };

/** One telephone call. Its stream may come and go (epochs 1, 2 …). */
export interface Line {
  dial(request: { readonly to: string; readonly ringMs: number; readonly maxMs: number }): void;
  play(audio: Audio): void;
  mark(generation: number, markId: number): void;
  clear(generation: number): void;
  /** How the call goes on when its stream is over: with a new one, or (now) with a sentence and a hang-up. */
  redirect(plan: Redirection): void;
  /** Presses keys towards the telephone; `carrier.digitsSent` follows. Only of a carrier whose traits say that it can. */
  sendDigits?(digits: string): void;
  /** Asks the carrier once what became of the call: `carrier.bound`, `carrier.progressed` or `carrier.notFound` follow, nothing when it does not answer. */
  inquire(): void;
  hangUp(): void;
  release(): void;
}

/** An HTTP route as plain data, so that a carrier is tested without a web server. */
export interface Webhook {
  readonly method: 'GET' | 'POST';
  /** Express style, `:token` for a parameter. */
  readonly path: string;
  handle(request: WebhookRequest): Promise<WebhookReply> | WebhookReply;
}

export interface WebhookRequest {
  readonly params: Readonly<Record<string, string>>;
  /** Path and query as they came, without scheme and host. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The form fields of the body; a repeated name has several values. */
  readonly form: Readonly<Record<string, string | readonly string[]>>;
}

export interface WebhookReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** A WebSocket route. `authorize` runs before the upgrade: a refusal is an HTTP status, and the socket never opens. */
export interface SocketRoute {
  readonly path: string;
  authorize(
    request: UpgradeRequest,
  ):
    | { readonly accept: true /** For the log. */; readonly callId?: string }
    | { readonly accept: false; readonly status: number };
  connect(socket: MediaSocket, request: UpgradeRequest): void;
}

export interface UpgradeRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly target: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** A text in UTF-8, of `length` bytes, that is written when and where it is needed. */
export interface EncodedText {
  readonly length: number;
  copyTo(target: Buffer, at: number): void;
}

/** What a carrier needs of a WebSocket. The server has already put an error listener and a size limit on it. */
export interface MediaSocket {
  /** Bytes handed over by `send` that the network has not taken yet. */
  readonly bufferedAmount: number;
  /** Goes out at once, behind everything that was sent before. */
  send(data: string | Uint8Array): void;
  /** A text message that is put together where it is sent from, together with the others of this turn of the event loop. */
  sendEncoded(message: EncodedText): void;
  close(code: number, reason?: string): void;
  /** Closes without a handshake. */
  terminate(): void;
  onMessage(listener: (data: Buffer, isBinary: boolean) => void): void;
  onClose(listener: (code: number) => void): void;
}
