/** The events socket: opened again whenever it is lost, and watched, as a network may be gone without a word. */
import { WebSocket } from 'ws';
import { ConfigError, UpstreamError } from '../../errors.ts';
import { backoffMs } from '../backoff.ts';
import type { CallControlClock } from './call-control.ts';
import { HttpFailure, isCertificateFault } from './http.ts';
import type { ThreeCxLog } from './operations.ts';
import { failureOf, refusalOf } from './refusals.ts';
import type { Tokens } from './token.ts';

export interface EventsOptions {
  readonly baseUrl: string;
  readonly tokens: Tokens;
  readonly clock: CallControlClock;
  readonly logger: ThreeCxLog;
  readonly random: () => number;
  opened(): void;
  received(text: string): void;
  /** It was open and is not any more, or could not be opened. `isTriedNow`: only its token was old. `why` is one of the four errors. */
  lost(why: Error, isTriedNow: boolean): void;
}

export interface Events {
  open(): void;
  /** As if it were lost for this reason; it is opened again. */
  breakOff(why: Error): void;
  close(): void;
}

const WHAT = 'to tell of its events';
/** As 3CX's own example does. */
const PING_MS = 5_000;
const OPEN_MS = 10_000;
const MOST_BYTES = 4 * 1024 * 1024;
/** Close code for a token that is not good, as a mock of the community has it; the real server may as well answer the upgrade with 401. */
const BAD_TOKEN_CLOSE = 1008;
/** A fresh token is worth one try at once, and not again before this. */
const FRESH_TRY_MS = 30_000;
/** A login that is refused stays so until somebody changes it, and a server may lock out who tries it all the time. */
const REFUSED_MS = 60_000;

export function createEvents(options: EventsOptions): Events {
  return new LivingSocket(options);
}

class LivingSocket implements Events {
  readonly #options: EventsOptions;
  #socket: WebSocket | null = null;
  #isClosed = false;
  #broken: Error | null = null;
  #tries = 0;
  #freshTryAtMs = Number.NEGATIVE_INFINITY;
  #cancelRetry: () => void = () => undefined;

  constructor(options: EventsOptions) {
    this.#options = options;
  }

  open(): void {
    this.#cancelRetry();
    if (this.#socket !== null || this.#isClosed) return;
    void this.#options.tokens.get().then(
      (token) => {
        if (!this.#isClosed && this.#socket === null) this.#connect(token);
      },
      (error: unknown) => this.#lost(error instanceof Error ? error : new Error(String(error)), false),
    );
  }

  breakOff(why: Error): void {
    this.#broken = why;
    this.#socket?.terminate();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelRetry();
    this.#socket?.terminate();
  }

  #connect(token: string): void {
    const { baseUrl, tokens, clock } = this.#options;
    const socket = new WebSocket(`${baseUrl.replace(/^http/, 'ws')}/callcontrol/ws`, {
      headers: { authorization: `Bearer ${token}` },
      handshakeTimeout: OPEN_MS,
      maxPayload: MOST_BYTES,
      followRedirects: false,
    });
    this.#socket = socket;
    this.#broken = null;
    let why: Error | null = null;
    let isTokenBad = false;
    let stopBeating: () => void = () => undefined;
    socket.on('unexpected-response', (_request, response) => {
      isTokenBad = response.statusCode === 401;
      why = refusalOf(response.statusCode ?? 0, null, WHAT);
      socket.terminate();
    });
    socket.on('error', (error) => {
      why ??= failureOf(
        new HttpFailure(isCertificateFault(error) ? 'certificate' : 'network', false, error),
        WHAT,
        false,
      );
    });
    socket.on('open', () => {
      stopBeating = beat(socket, clock, () => {
        this.#tries = 0;
      });
      this.#options.opened();
    });
    socket.on('message', (data) => this.#options.received(String(data)));
    socket.on('close', (code) => {
      stopBeating();
      this.#socket = null;
      if (code === BAD_TOKEN_CLOSE) isTokenBad = true;
      if (isTokenBad) tokens.refused(token);
      this.#lost(this.#broken ?? why ?? lostNow(), isTokenBad);
    });
  }

  #lost(why: Error, isTokenBad: boolean): void {
    if (this.#isClosed) return;
    const { clock, random, logger } = this.#options;
    const mayTryFresh = isTokenBad && clock.now() - this.#freshTryAtMs >= FRESH_TRY_MS;
    if (mayTryFresh) this.#freshTryAtMs = clock.now();
    const leastMs = why instanceof ConfigError ? REFUSED_MS : 0;
    const delayMs = mayTryFresh ? 0 : Math.max(leastMs, backoffMs(this.#tries, random));
    if (!mayTryFresh) this.#tries += 1;
    this.#options.lost(why, mayTryFresh);
    logger.debug({ err: why, delayMs }, '3CX’s events will be listened to again');
    this.#cancelRetry();
    this.#cancelRetry = clock.setTimer(() => this.open(), delayMs);
  }
}

/** A peer that has said nothing since the ping before this one is gone. */
function beat(socket: WebSocket, clock: CallControlClock, alive: () => void): () => void {
  let isHeard = true;
  let cancel: () => void = () => undefined;
  socket.on('pong', () => {
    isHeard = true;
    alive();
  });
  socket.on('message', () => {
    isHeard = true;
  });
  const next = (): void => {
    cancel = clock.setTimer(() => {
      if (!isHeard) return socket.terminate();
      isHeard = false;
      socket.ping();
      next();
    }, PING_MS);
  };
  next();
  return () => cancel();
}

function lostNow(): UpstreamError {
  return new UpstreamError('The connection to 3CX for events was lost. Try again in some seconds.', {
    retryable: true,
    code: 'unreachable',
  });
}
