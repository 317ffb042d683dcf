import type { Socket as Connection } from 'node:net';
import { rootCertificates } from 'node:tls';
import { WebSocket } from 'ws';
import type { Audio } from '../../media/audio.ts';
import { AudioFrames } from './audio-frames.ts';
import { appendEnvelope } from './dialect.ts';
import { type Failure, failureOfClose, failureOfHandshake, failureOfSocketError } from './failures.ts';

/** Monotonic milliseconds, and timers that can be stopped. */
export interface Clock {
  now(): number;
  /** Calls `fn` once after `ms`; returns the way to stop it. */
  setTimer(fn: () => void, ms: number): () => void;
}

export interface SocketOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Certificates to trust besides the system's, in PEM. */
  readonly ca: string | Buffer | undefined;
  readonly heartbeatMs: number;
  readonly clock: Clock;
}

export interface SocketListener {
  /** UTF-8; the bytes may be kept. */
  message(text: Buffer): void;
  /** The socket is gone; said once, and never after `close`. */
  lost(failure: Failure): void;
}

export interface Socket {
  /** False when nothing was sent, because the socket is not open. */
  send(text: string): boolean;
  /** The callee's audio. It is dropped while more than `mostWaitingBytes` wait for the network. */
  sendAudio(audio: Audio, mostWaitingBytes: number): void;
  close(): void;
}

/** Largest message that a server may send: six minutes of audio in one piece. */
const MAX_PAYLOAD_BYTES = 4 * 1024 * 1024;
/** Twenty minutes of audio at once, and then ten times as much as can be listened to. */
const FLOOD_BYTES = { burst: 16 * 1024 * 1024, perMs: 128 };
/** A reply of minutes made in one go is some thousand messages; nobody speaks five hundred a second for long. */
const FLOOD_MESSAGES = { burst: 10_000, perMs: 0.5 };
const MAX_MISSED_PONGS = 2;
const CLOSE_GRACE_MS = 2_000;
const REFUSAL_BODY_BYTES = 8 * 1024;
const FRAMES = new AudioFrames(appendEnvelope);
/** A failed write is followed by `close`; the callback only keeps ws from reporting it twice. */
const afterWrite = (): void => {};

/** Opens a WebSocket. Nothing throws: what goes wrong, a bad address included, comes as `lost`, never synchronously. */
export function openSocket(options: SocketOptions, listener: SocketListener): Socket {
  return new LiveSocket(options, listener);
}

class LiveSocket implements Socket {
  private readonly options: SocketOptions;
  private readonly listener: SocketListener;
  private ws: WebSocket | null = null;
  /** Beneath the WebSocket, once it is open. */
  private connection: Connection | null = null;
  private over = false;
  private opened = false;
  private missedPongs = 0;
  /** Since the last beat: a server that talks need not be asked whether it lives. */
  private heard = false;
  private stopTimer: () => void = () => {};
  private bytesLeft = FLOOD_BYTES.burst;
  private messagesLeft = FLOOD_MESSAGES.burst;
  private countedAtMs: number;

  constructor(options: SocketOptions, listener: SocketListener) {
    this.options = options;
    this.listener = listener;
    this.countedAtMs = options.clock.now();
    try {
      this.ws = this.connect();
    } catch (error) {
      const failure: Failure = { kind: 'configuration', retryable: false, code: codeOf(error) };
      this.stopTimer = options.clock.setTimer(() => this.lose(failure), 0);
    }
  }

  send(text: string): boolean {
    if (this.over || this.ws?.readyState !== WebSocket.OPEN) return false;
    this.ws.send(text, afterWrite);
    return true;
  }

  sendAudio(audio: Audio, mostWaitingBytes: number): void {
    const { ws, connection } = this;
    if (this.over || ws?.readyState !== WebSocket.OPEN || connection === null) return;
    if (connection.writableLength > mostWaitingBytes || FRAMES.write(connection, audio)) return;
    const { head, tail } = appendEnvelope;
    ws.send(`${head}${audio.base64()}${tail}`, afterWrite);
  }

  close(): void {
    if (this.over) return;
    this.over = true;
    this.stopTimer();
    const ws = this.ws;
    if (ws === null) return;
    if (!this.opened) {
      // ws reports this as an error, which nobody needs to hear.
      ws.terminate();
      return;
    }
    ws.close(1000);
    const stop = this.options.clock.setTimer(() => ws.terminate(), CLOSE_GRACE_MS);
    ws.once('close', stop);
  }

  private connect(): WebSocket {
    const { url, headers, ca } = this.options;
    const ws = new WebSocket(url, {
      headers: { ...headers },
      perMessageDeflate: false,
      maxPayload: MAX_PAYLOAD_BYTES,
      ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
    });
    ws.on('error', (error) => this.lose(failureOfSocketError(error, this.opened)));
    ws.on('close', (code, reason) => this.lose(failureOfClose(code, reason.toString('utf8'))));
    ws.on('unexpected-response', (request, response) => {
      let body = '';
      const refuse = () => {
        this.lose(failureOfHandshake(response.statusCode ?? 0, body));
        request.destroy();
      };
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
        if (body.length > REFUSAL_BODY_BYTES) refuse();
      });
      response.on('end', refuse);
      response.on('error', refuse);
    });
    ws.on('upgrade', (response) => {
      this.connection = response.socket;
    });
    ws.on('open', () => {
      this.opened = true;
      this.beat();
    });
    ws.on('ping', () => this.hear(0));
    ws.on('pong', () => this.hear(0));
    ws.on('message', (data, isBinary) => {
      if (Buffer.isBuffer(data) && this.hear(data.length) && !isBinary) this.listener.message(data);
    });
    return ws;
  }

  /** False when the session is over, or is ended because the server sends more than any conversation needs. */
  private hear(bytes: number): boolean {
    if (this.over) return false;
    this.missedPongs = 0;
    this.heard = true;
    this.bytesLeft -= bytes;
    this.messagesLeft -= 1;
    if ((this.bytesLeft >= 0 && this.messagesLeft >= 0) || this.mayGoOn()) return true;
    this.lose({ kind: 'protocol', retryable: true, code: 'flood' });
    return false;
  }

  /** The clock is only looked at when one of the two is used up: what has come back since then is given at once. */
  private mayGoOn(): boolean {
    const nowMs = this.options.clock.now();
    const passedMs = nowMs - this.countedAtMs;
    this.countedAtMs = nowMs;
    const back = (left: number, { burst, perMs }: { readonly burst: number; readonly perMs: number }): number =>
      Math.min(burst, left + Math.floor(passedMs * perMs));
    this.bytesLeft = back(this.bytesLeft, FLOOD_BYTES);
    this.messagesLeft = back(this.messagesLeft, FLOOD_MESSAGES);
    return this.bytesLeft >= 0 && this.messagesLeft >= 0;
  }

  /** A peer that vanished without a FIN is noticed only because it stops answering. */
  private beat(): void {
    if (this.over) return;
    this.stopTimer = this.options.clock.setTimer(() => {
      if (this.missedPongs >= MAX_MISSED_PONGS) {
        this.lose({ kind: 'dropped', retryable: true, code: 'no-pong' });
        return;
      }
      if (!this.heard) {
        this.missedPongs += 1;
        if (this.ws?.readyState === WebSocket.OPEN) this.ws.ping(undefined, undefined, () => {});
      }
      this.heard = false;
      this.beat();
    }, this.options.heartbeatMs);
  }

  private lose(failure: Failure): void {
    if (this.over) return;
    this.over = true;
    this.stopTimer();
    this.ws?.terminate();
    this.listener.lost(failure);
  }
}

function codeOf(error: unknown): string {
  return error instanceof SyntaxError ? 'bad-address' : 'bad-options';
}
