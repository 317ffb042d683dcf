import type { Audio } from '../../media/audio.ts';
import type { MediaSocket } from '../carrier.ts';
import { type StreamMessage, StreamReader, type StreamStart, StreamWriter } from './stream.ts';

export interface Clock {
  /** Monotonic, in milliseconds. */
  now(): number;
  /** Runs `callback` once after `delayMs`; the answer calls it off. */
  setTimer(callback: () => void, delayMs: number): () => void;
}

export interface AttachmentOptions {
  readonly socket: MediaSocket;
  readonly clock: Clock;
  readonly startDeadlineMs: number;
  readonly mediaTimeoutMs: number;
  /** Is this the stream that our TwiML asked for? Called once. */
  readonly admit: (start: StreamStart) => boolean;
  readonly onStarted: () => void;
  readonly onMedia: (audio: Audio, mediaMs: number) => void;
  readonly onMark: (generation: number, markId: number) => void;
  readonly onDigit: (digit: string) => void;
  /** Of a stream that had started and that we did not close ourselves; once. `malformed` counts the frames that were ignored. */
  readonly onEnded: (how: 'stopped' | 'dropped', malformed: number) => void;
  /** The socket was closed by us before a stream started, or because of what it sent. */
  readonly onRefused: (why: Refusal) => void;
}

export type Refusal = 'no-start' | 'wrong-start' | 'flood' | 'backlog' | 'no-media';

/** WebSocket close codes (RFC 6455, 7.4.1). Twilio warns about any other (error 31921). */
const NORMAL = 1000;
const POLICY = 1008;

/**
 * 50 frames a second are normal, and after a stall of a minute they all come at once. Counted in whole numbers: one comes back each
 * millisecond, and a frame costs five, once more for each such piece of it.
 */
const FLOOD_BURST = 20_000;
const FRAME_COST = 5;
const FLOOD_PIECE_BYTES = 4_096;
/** A silent stream is looked at so often within its time. */
const LOOKS = 5;
/** Between the suspicion that a stream is dead and its end. */
const SUSPECTED_MS = 200;
/** About six minutes of audio that the network has not taken: nobody will hear it, and memory is not for that. */
const MOST_BACKLOG_BYTES = 4 * 1024 * 1024;

/** One WebSocket of a media stream, from its upgrade to its end. Calls nothing back after `close`. */
export class Attachment {
  private readonly options: AttachmentOptions;
  /** Of the options; asked for with every frame. */
  private readonly onMedia: AttachmentOptions['onMedia'];
  private readonly reader = new StreamReader();
  private writer: StreamWriter | null = null;
  private greeted = false;
  private ended = false;
  private malformed = 0;
  private allowance = FLOOD_BURST;
  private allowanceAtMs: number;
  /** Audio has come since it was looked for. */
  private hears = false;
  private stopWaiting: () => void;

  constructor(options: AttachmentOptions) {
    this.options = options;
    this.onMedia = options.onMedia;
    this.allowanceAtMs = options.clock.now();
    this.stopWaiting = options.clock.setTimer(() => this.refuse('no-start'), options.startDeadlineMs);
    options.socket.onMessage((data, isBinary) => this.receive(data, isBinary));
    options.socket.onClose(() => this.end('dropped'));
  }

  get live(): boolean {
    return this.writer !== null && !this.ended;
  }

  play(audio: Audio): void {
    if (this.writer === null || audio.byteLength === 0 || !this.maySend()) return;
    this.options.socket.sendEncoded(this.writer.media(audio));
  }

  mark(generation: number, markId: number): void {
    // It stands behind audio, which was not sent into a backlog.
    if (this.writer !== null && !this.ended) this.options.socket.sendEncoded(this.writer.mark(generation, markId));
  }

  clear(): void {
    if (this.writer !== null && this.maySend()) this.options.socket.send(this.writer.clear());
  }

  close(): void {
    this.finish();
    this.options.socket.close(NORMAL);
  }

  private maySend(): boolean {
    if (this.ended) return false;
    if (this.options.socket.bufferedAmount <= MOST_BACKLOG_BYTES) return true;
    this.options.onRefused('backlog');
    // A close frame would wait behind the backlog.
    this.options.socket.terminate();
    this.end('dropped');
    return false;
  }

  private receive(data: Buffer, isBinary: boolean): void {
    if (this.ended) return;
    if (!this.isAllowed(data.length)) {
      this.refuse('flood');
      return;
    }
    const message = this.reader.read(data, isBinary);
    if (message === null) this.malformed += 1;
    else if (this.writer === null) this.greet(message);
    else this.obey(message);
  }

  /** The clock is only looked at when the allowance is used up: what has come back since then is given at once. */
  private isAllowed(bytes: number): boolean {
    this.allowance -= FRAME_COST * (1 + Math.floor(bytes / FLOOD_PIECE_BYTES));
    if (this.allowance >= 0) return true;
    const atMs = this.options.clock.now();
    const backSince = Math.floor(atMs - this.allowanceAtMs);
    this.allowance += Math.min(FLOOD_BURST, backSince);
    this.allowanceAtMs = atMs;
    return this.allowance >= 0;
  }

  /** `connected`, then `start`; nothing else means anything before. */
  private greet(message: StreamMessage): void {
    if (message.kind === 'connected') {
      this.greeted = true;
      return;
    }
    if (message.kind !== 'start') {
      this.malformed += 1;
      return;
    }
    if (!this.greeted || !this.options.admit(message.start)) {
      this.refuse('wrong-start');
      return;
    }
    this.stopWaiting();
    this.writer = new StreamWriter(message.start.streamSid);
    this.watch(this.options.clock.now());
    this.options.onStarted();
  }

  private obey(message: StreamMessage): void {
    switch (message.kind) {
      case 'media':
        this.hears = true;
        this.onMedia(message.audio, message.mediaMs);
        break;
      case 'mark':
        this.options.onMark(message.generation, message.markId);
        break;
      case 'dtmf':
        this.options.onDigit(message.digit);
        break;
      case 'stop':
        this.end('stopped');
        this.options.socket.close(NORMAL);
        break;
      case 'connected':
      case 'start':
        this.malformed += 1;
        break;
      case 'other':
        break;
      default: {
        const never: never = message;
        return never;
      }
    }
  }

  /** A stream that has fallen silent is not waited for: its end makes Twilio ask how to go on, which brings a new one. */
  private watch(heardAtMs: number, suspected = false): void {
    const { clock, mediaTimeoutMs } = this.options;
    const waitMs = suspected ? SUSPECTED_MS : mediaTimeoutMs / LOOKS;
    this.stopWaiting = clock.setTimer(() => {
      const nowMs = clock.now();
      if (this.hears) {
        this.hears = false;
        return this.watch(nowMs);
      }
      if (nowMs - heardAtMs < mediaTimeoutMs) return this.watch(heardAtMs);
      // After a stall of ours a timer may come before the frames that have arrived meanwhile.
      if (!suspected) return this.watch(heardAtMs, true);
      this.options.onRefused('no-media');
      this.options.socket.close(NORMAL);
      this.end('dropped');
    }, waitMs);
  }

  private refuse(why: Refusal): void {
    if (this.ended) return;
    this.options.onRefused(why);
    this.options.socket.close(POLICY);
    this.end('dropped');
  }

  private end(how: 'stopped' | 'dropped'): void {
    const wasLive = this.live;
    this.finish();
    if (wasLive) this.options.onEnded(how, this.malformed);
  }

  private finish(): void {
    this.ended = true;
    this.stopWaiting();
  }
}
