/**
 * Asks the REST API of VoIP.ms: GET of `…/api/v1/rest.php` with `api_username`, `api_password` and `method` in the query, JSON back,
 * HTTP 200 for nearly everything and the outcome in `status` (the vendor's API page). The query is in no error and no log.
 */
import { isIP } from 'node:net';
import { ConfigError, ProtocolError, UpstreamError, UserInputError } from '../../errors.ts';
import { backoffMs } from '../backoff.ts';
import type { VoipMsOptions } from './operations.ts';
import { createPace } from './pace.ts';
import { isEmptyStatus, LOOK_FIRST, refusalOf, UNCERTAIN } from './statuses.ts';
import { isRow, type Row } from './values.ts';

export interface VoipMsAnswer {
  /** `success`, or one that says that nothing was found, such as `no_cdr`: then there is nothing of use in the body. */
  readonly status: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** As it came; empty where VoIP.ms answered with nothing, which is a success. */
  readonly text: string;
}

export interface CallOptions {
  /** It changes something: then it is never asked twice, and nothing found is an error. */
  readonly changes: boolean;
  /** Of the answer. */
  readonly mostBytes?: number;
  /** For all of the answer to be there. */
  readonly timeoutMs?: number;
}

export interface VoipMsClient {
  /**
   * @throws UserInputError, ConfigError, UpstreamError (code `uncertain` where a change may have been made), ProtocolError for what is not
   * the API's JSON (after a change it is not known either whether that was made).
   */
  call(method: string, params: Readonly<Record<string, string>>, options: CallOptions): Promise<VoipMsAnswer>;
  /** What waits and what is read is given up; a change that is under way is not. */
  close(): void;
}

export type VoipMsClientOptions = Pick<VoipMsOptions, 'url' | 'username' | 'password' | 'clock' | 'logger'>;

const TIMEOUT_MS = 15_000;
const MOST_ANSWER_BYTES = 32 * 1024 * 1024;
/** The vendor's web server takes request lines of 8,190 bytes; longer ones go as multipart, the only form in which its POST works. */
const MOST_QUERY_CHARACTERS = 7_000;
const MOST_RETRIES = 4;
/** After this long the assistant that waits is told rather. */
const RETRY_FOR_MS = 25_000;
/** Of the limit that is counted by the minute; the first pause is one to two seconds. */
const FIRST_BACKOFF = 2;

/** For so long it is not asked again which address is ours; it may change. */
const ADDRESS_MS = 60_000;

const OURS = new Set(['api_username', 'api_password', 'method', 'content_type']);

export function createVoipMsClient({ url, username, password, clock, logger }: VoipMsClientOptions): VoipMsClient {
  const base = addressOf(url);
  const pace = createPace(clock);
  const reads = new Set<AbortController>();
  let isClosed = false;
  let address: { readonly askedAtMs: number; readonly told: Promise<string | null> } | null = null;

  function requestOf(method: string, params: Readonly<Record<string, string>>): [URL, RequestInit] {
    const fields = { api_username: username, api_password: password, method, content_type: 'json', ...params };
    const asked = new URL(base);
    for (const [name, value] of Object.entries(fields)) asked.searchParams.set(name, value);
    if (asked.search.length <= MOST_QUERY_CHARACTERS) return [asked, { method: 'GET' }];
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    return [base, { method: 'POST', body: form }];
  }

  async function ask(method: string, params: Readonly<Record<string, string>>, options: CallOptions) {
    const sinceMs = clock.now();
    const controller = new AbortController();
    const cancel = clock.setTimer(() => controller.abort(), options.timeoutMs ?? TIMEOUT_MS);
    if (!options.changes) reads.add(controller);
    try {
      const [asked, init] = requestOf(method, params);
      // A redirect would carry the password elsewhere.
      const response = await fetch(asked, { ...init, redirect: 'manual', signal: controller.signal });
      const text = await textOf(response, options.mostBytes ?? MOST_ANSWER_BYTES);
      checkHttp(response.status, options.changes);
      const answer = parsed(text, options.changes);
      logger.debug({ method, status: answer.status, ms: Math.round(clock.now() - sinceMs) }, 'VoIP.ms answered');
      return answer;
    } catch (error) {
      throw failureOf(error, method, options.changes, controller.signal.aborted);
    } finally {
      cancel();
      reads.delete(controller);
    }
  }

  async function judged(method: string, params: Readonly<Record<string, string>>, options: CallOptions) {
    const answer = await pace.run(() => ask(method, params, options));
    if (answer.status === 'success') return answer;
    if (isEmptyStatus(answer.status)) {
      if (!options.changes) return answer;
      throw new UserInputError(
        `VoIP.ms has nothing of that kind for ${method} to work on (${answer.status}). Nothing was changed; look first at what is there.`,
      );
    }
    throw refusalOf(method, answer.status, answer.status === 'ip_not_enabled' ? await ourAddress() : null);
  }

  /** getIP answers those as well that are not allowed to ask anything else. */
  function ourAddress(): Promise<string | null> {
    if (address !== null && clock.now() - address.askedAtMs < ADDRESS_MS) return address.told;
    const told = pace
      .run(() => ask('getIP', {}, { changes: false }))
      .then(({ body }) => (typeof body.ip === 'string' && isIP(body.ip) > 0 ? body.ip : null))
      .catch(() => null);
    address = { askedAtMs: clock.now(), told };
    return told;
  }

  return {
    call: async (method, params, options) => {
      checkCall(method, params);
      const sinceMs = clock.now();
      for (let tries = 0; ; tries += 1) {
        try {
          return await judged(method, params, options);
        } catch (error) {
          const isLate = tries >= MOST_RETRIES || clock.now() - sinceMs > RETRY_FOR_MS;
          const isWorthIt = error instanceof UpstreamError && error.retryable;
          if (options.changes || isLate || isClosed || !isWorthIt) throw error;
          logger.debug({ method, code: error.code, tries }, 'VoIP.ms is asked again');
          await pace.pause(backoffMs(tries + FIRST_BACKOFF, Math.random));
        }
      }
    },
    close: () => {
      isClosed = true;
      pace.close();
      for (const controller of reads) controller.abort();
    },
  };
}

function addressOf(url: string): URL {
  const address = URL.canParse(url) ? new URL(url) : null;
  if (address === null || !/^https?:$/.test(address.protocol) || address.username !== '' || address.search !== '')
    throw new ConfigError('VOIPMS_API_URL must be an http or https address without a user name and without a query.', {
      settings: ['VOIPMS_API_URL'],
    });
  return address;
}

function checkCall(method: string, params: Readonly<Record<string, string>>): void {
  if (!/^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(method))
    throw new UserInputError('The name of a VoIP.ms method consists of letters and digits, such as getBalance.');
  for (const name of Object.keys(params))
    if (!/^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(name) || OURS.has(name.toLowerCase()))
      throw new UserInputError(
        `${JSON.stringify(name.slice(0, 64))} cannot be given as a parameter of a VoIP.ms method.`,
      );
}

/** @throws UpstreamError when it is larger: a recording may be an hour long. */
async function textOf(response: Response, mostBytes: number): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.byteLength;
    if (bytes > mostBytes)
      throw new UpstreamError('VoIP.ms answered with more than is taken in at once.', {
        retryable: false,
        code: 'too_large',
      });
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function checkHttp(status: number, changes: boolean): void {
  if (status >= 200 && status < 300) return;
  if (status >= 300 && status < 400)
    throw new ConfigError('The address in VOIPMS_API_URL redirects elsewhere, where the password is not sent.', {
      settings: ['VOIPMS_API_URL'],
    });
  if (status >= 500 && changes) throw uncertain(`VoIP.ms failed (HTTP ${status}).`);
  const isBusy = status === 429 || status >= 500;
  const sentence = isBusy ? 'VoIP.ms cannot answer at the moment' : 'VoIP.ms refused the request';
  throw new UpstreamError(`${sentence} (HTTP ${status}).`, { retryable: isBusy, code: `http_${status}` });
}

function parsed(text: string, changes: boolean): VoipMsAnswer {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  // Some calls succeed with nothing at all (seen by users of the API).
  if (trimmed === '') return { status: 'success', body: {}, text: '' };
  const body = objectOf(trimmed);
  if (body === null || typeof body.status !== 'string') throw foreign(trimmed, changes);
  return { status: body.status, body, text };
}

function objectOf(text: string): Row | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRow(value) ? value : null;
  } catch {
    // What the parser says quotes the answer.
    return null;
  }
}

function foreign(text: string, changes: boolean): ProtocolError {
  const what = /^<(\?xml|soap|\w+-?\w*:envelope)/i.test(text)
    ? 'an XML message'
    : text.startsWith('<')
      ? 'a web page'
      : 'something else';
  return new ProtocolError(
    `VoIP.ms answered with ${what} in place of the JSON of its API. Is VOIPMS_API_URL right, and is VoIP.ms up?${changes ? ` ${LOOK_FIRST}` : ''}`,
  );
}

/** Before these the request cannot have reached VoIP.ms. */
const NOT_SENT =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT_.*|ERR_TLS_.*|ERR_SSL_.*|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.*)$/;

function failureOf(error: unknown, method: string, changes: boolean, isAborted: boolean): Error {
  if (error instanceof UpstreamError && error.code === 'too_large' && changes) return uncertain(error.message);
  if ([UpstreamError, ConfigError, ProtocolError].some((known) => error instanceof known)) return error as Error;
  const code = codeOf(error);
  const isSent = !NOT_SENT.test(code);
  const sentence = isAborted ? `VoIP.ms did not answer ${method} in time.` : `VoIP.ms cannot be reached (${code}).`;
  if (changes && isSent) return uncertain(sentence, error);
  return new UpstreamError(sentence, { retryable: true, code: isAborted ? 'timeout' : code, cause: error });
}

function uncertain(sentence: string, cause?: unknown): UpstreamError {
  return new UpstreamError(`${sentence} ${LOOK_FIRST}`, { retryable: false, code: UNCERTAIN, cause });
}

/** fetch says why in the error that is its cause. */
function codeOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = inner instanceof Error && 'code' in inner ? String(inner.code) : '';
  return /^[A-Z][A-Z0-9_]{1,50}$/.test(code) ? code : 'connection failed';
}
