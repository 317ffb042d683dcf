/**
 * The sound of a call at the app's own route point: PCM, signed 16 bit little-endian, 8 kHz, mono, without any header, as an endless body
 * of a GET (from the participant) or of a chunked POST (to it) (3CX, Call Control API docs). Each has a connection of its own.
 */
import { type ClientRequest, type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { UpstreamError } from '../../errors.ts';
import type { AudioSink, AudioStream, CallControlClock, HearEvents, SpeakEvents } from './call-control.ts';
import { isTls } from './http.ts';
import { refusalOf } from './refusals.ts';
import type { Tokens } from './token.ts';

export interface StreamOptions {
  readonly baseUrl: string;
  readonly tokens: Tokens;
  readonly clock: CallControlClock;
}

/** Until it stands; the body has no limit. */
const OPEN_MS = 10_000;
const KEEP_ALIVE_MS = 5_000;
const WHAT = 'to carry the sound of the call';

export function hear(options: StreamOptions, path: string, events: HearEvents): AudioStream {
  const line = new Line(options, path, 'GET', events.ended, {
    answered(response) {
      events.opened();
      response.on('data', (chunk: Buffer) => line.isOver || events.heard(chunk));
    },
  });
  line.open();
  return { close: () => line.end(null) };
}

export function speak(options: StreamOptions, path: string, events: SpeakEvents): AudioSink {
  const line = new Line(options, path, 'POST', events.ended, {
    connected: () => events.opened(),
    answered: (response) => response.resume(),
  });
  line.open();
  return {
    // What is said before it stands is lost, as on a telephone.
    write: (pcm) => line.write(pcm),
    get bufferedBytes() {
      return line.bufferedBytes;
    },
    close: () => line.end(null),
  };
}

interface LineEvents {
  connected?(): void;
  answered(response: IncomingMessage): void;
}

class Line {
  readonly #options: StreamOptions;
  readonly #path: string;
  readonly #method: 'GET' | 'POST';
  readonly #ended: (error: Error | null) => void;
  readonly #events: LineEvents;
  #request: ClientRequest | null = null;
  #isConnected = false;
  #mayAskAgain = true;
  #cancelTimer: () => void = () => undefined;
  isOver = false;

  constructor(
    options: StreamOptions,
    path: string,
    method: 'GET' | 'POST',
    ended: (error: Error | null) => void,
    events: LineEvents,
  ) {
    this.#options = options;
    this.#path = path;
    this.#method = method;
    this.#ended = ended;
    this.#events = events;
  }

  get bufferedBytes(): number {
    return this.#request?.writableLength ?? 0;
  }

  open(): void {
    this.#options.tokens.get().then(
      (token) => {
        if (!this.isOver) this.#connect(token);
      },
      (error: unknown) => this.end(error instanceof Error ? error : new Error(String(error))),
    );
  }

  write(pcm: Uint8Array): void {
    if (this.#isConnected && !this.isOver) this.#request?.write(pcm);
  }

  /** Closes it, whatever its state. */
  end(error: Error | null): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#cancelTimer();
    this.#request?.destroy();
    this.#ended(error);
  }

  #connect(token: string): void {
    const { baseUrl, clock } = this.#options;
    const url = baseUrl + this.#path;
    const isPost = this.#method === 'POST';
    const request = (isTls(url) ? requestTls : requestPlain)(url, {
      method: this.#method,
      agent: false,
      headers: {
        authorization: `Bearer ${token}`,
        ...(isPost ? { 'content-type': 'application/octet-stream', 'transfer-encoding': 'chunked' } : {}),
      },
    });
    this.#request = request;
    const isCurrent = (): boolean => this.#request === request && !this.isOver;
    const broken = (cause?: Error): void => {
      if (isCurrent()) this.end(brokenStream(cause));
    };
    this.#cancelTimer();
    this.#cancelTimer = clock.setTimer(() => broken(), OPEN_MS);
    request.on('error', broken);
    request.on('close', () => broken());
    request.on('response', (response) => {
      response.on('error', broken);
      if (isCurrent()) this.#answered(response, token);
    });
    request.on('socket', (socket) => {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      socket.once(isTls(url) ? 'secureConnect' : 'connect', () => isPost && isCurrent() && this.#connected());
    });
    // A body that has not begun holds the headers back.
    if (isPost) request.flushHeaders();
    else request.end();
  }

  #connected(): void {
    this.#cancelTimer();
    const isFirst = this.#mayAskAgain;
    this.#isConnected = true;
    if (isFirst) this.#events.connected?.();
  }

  #answered(response: IncomingMessage, token: string): void {
    this.#cancelTimer();
    const { statusCode = 0 } = response;
    if (statusCode === 401 && this.#mayAskAgain) {
      this.#mayAskAgain = false;
      this.#isConnected = false;
      this.#options.tokens.refused(token);
      const old = this.#request;
      this.#request = null;
      old?.destroy();
      return this.open();
    }
    if (statusCode < 200 || statusCode > 299) return this.end(refusalOf(statusCode, null, WHAT));
    // The end of the participant's sound, or 3CX has had enough of ours.
    response.on('end', () => this.end(null));
    this.#events.answered(response);
  }
}

function brokenStream(cause?: Error): UpstreamError {
  return new UpstreamError('The connection for the sound of the call to 3CX broke or did not come about.', {
    retryable: true,
    code: 'unreachable',
    cause,
  });
}
