/** Requests to 3CX with the app's token. Reads are tried again when 3CX stumbles; what changes something is asked for once. */
import type { CallControlClock } from './call-control.ts';
import { createGate } from './gate.ts';
import { type Http, type HttpAnswer, HttpFailure } from './http.ts';
import { jsonOf, rowOf } from './json.ts';
import { failureOf, hasCode, refusalOf, uncertain } from './refusals.ts';
import type { Tokens } from './token.ts';

export interface Answer {
  readonly status: number;
  /** Of JSON; null where it is none. */
  readonly body: unknown;
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

/** `what` completes “3CX refused …” and “when it was asked …”. All reject with one of the four errors; a refusal is a ThreeCxRefusal. */
export interface Rest {
  get(
    path: string,
    what: string,
    limits?: { readonly mostBytes?: number; readonly timeoutMs?: number },
  ): Promise<Answer>;
  /** Never repeated, but after a 401, which was before anything was done. */
  change(method: 'POST' | 'PATCH', path: string, body: unknown, what: string): Promise<Answer>;
}

export interface RestOptions {
  readonly baseUrl: string;
  readonly tokens: Tokens;
  readonly http: Http;
  readonly clock: CallControlClock;
  readonly timeoutMs?: number;
}

const REQUEST_MS = 10_000;
const MOST_BYTES = 8 * 1024 * 1024;
const AT_ONCE = 4;
/** Of what may take long: calls go on beside it. */
const LONG_AT_ONCE = 2;
const PER_SECOND = 40;
const MOST_TRIES = 3;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

export function createRest(options: RestOptions): Rest {
  const { clock } = options;
  const gate = createGate({ clock, atOnce: AT_ONCE, perSecond: PER_SECOND });
  const longGate = createGate({ clock, atOnce: LONG_AT_ONCE, perSecond: PER_SECOND });
  const once = async (request: Asked): Promise<HttpAnswer> => {
    const leaves: (() => void)[] = [];
    try {
      for (const one of request.timeoutMs === undefined ? [gate] : [longGate, gate])
        leaves.push(await one.enter(request.method !== 'GET'));
      return await withToken(options, request);
    } catch (error) {
      throw error instanceof HttpFailure ? failureOf(error, request.what, request.method !== 'GET') : error;
    } finally {
      for (const leave of leaves) leave();
    }
  };
  return {
    async get(path, what, limits = {}) {
      const request: Asked = { method: 'GET', path, what, ...limits };
      const untilMs = clock.now() + (limits.timeoutMs ?? options.timeoutMs ?? REQUEST_MS);
      for (let tries = 1; ; tries += 1) {
        const pauseMs = FIRST_PAUSE_MS * 2 ** (tries - 1);
        const mayRepeat = tries < MOST_TRIES && clock.now() + pauseMs < untilMs;
        try {
          const answer = await once(request);
          if (!mayRepeat || !isPassing(answer.status)) return checked(answer, what);
          await pause(clock, Math.min(Math.max(pauseMs, (answer.retryAfterSeconds ?? 0) * 1_000), LONGEST_PAUSE_MS));
        } catch (error) {
          if (!mayRepeat || !hasCode(error, 'unreachable') || clock.now() + pauseMs >= untilMs) throw error;
          await pause(clock, pauseMs);
        }
      }
    },
    async change(method, path, body, what) {
      const answer = await once({ method, path, what, body: JSON.stringify(body) });
      if (isUnclear(answer))
        throw uncertain(
          `3CX had a fault of its own (HTTP ${answer.status}) when it was asked ${what}, so it is not known whether it was done.`,
        );
      return checked(answer, what);
    },
  };
}

interface Asked {
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  readonly what: string;
  readonly body?: string;
  readonly mostBytes?: number;
  readonly timeoutMs?: number;
}

/** A 401 costs one more try with a fresh token; a second one is an answer. */
async function withToken(options: RestOptions, request: Asked): Promise<HttpAnswer> {
  const { tokens } = options;
  const token = await tokens.get();
  const answer = await send(options, request, token);
  if (answer.status !== 401) return answer;
  tokens.refused(token);
  return await send(options, request, await tokens.get());
}

function send(options: RestOptions, request: Asked, token: string): Promise<HttpAnswer> {
  const { method, path, body, mostBytes = MOST_BYTES, timeoutMs = options.timeoutMs ?? REQUEST_MS } = request;
  return options.http.ask({
    method,
    url: options.baseUrl + path,
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json, */*',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body,
    timeoutMs,
    mostBytes,
  });
}

function checked(answer: HttpAnswer, what: string): Answer {
  const { status, bytes, contentType } = answer;
  // Sound is not for parsing.
  const body = /^$|json|text/.test(contentType) ? jsonOf(bytes.toString()) : null;
  if (status < 200 || status > 299) throw refusalOf(status, body, what);
  return { status, body, bytes, contentType };
}

/** A fault on the way or within, and no word of 3CX's on what it did. */
function isUnclear({ status, bytes }: HttpAnswer): boolean {
  const row = status >= 500 ? rowOf(jsonOf(bytes.toString())) : {};
  return status >= 500 && row?.finalstatus === undefined && row?.FinalStatus === undefined;
}

/** Faults that the next moment may have overcome. */
function isPassing(status: number): boolean {
  return status === 429 || status >= 500;
}

export function pause(clock: CallControlClock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(resolve, delayMs));
}
