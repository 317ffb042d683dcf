/** The app's access token. 3CX may let only the newest of an app be good, so there is one for everything, asked for once at a time. */
import { ConfigError, ProtocolError, UpstreamError } from '../../errors.ts';
import type { CallControlClock } from './call-control.ts';
import { type Http, type HttpAnswer, HttpFailure } from './http.ts';
import { jsonOf, numberOf, rowOf, textOf } from './json.ts';
import { failureOf } from './refusals.ts';

export interface Tokens {
  /** @throws ConfigError (refused), UpstreamError, ProtocolError */
  get(): Promise<string>;
  /** 3CX has refused this one: the next `get` asks for another. */
  refused(token: string): void;
}

export interface TokenOptions {
  readonly baseUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly clock: CallControlClock;
  readonly http: Http;
}

const TOKEN_MS = 10_000;
const MOST_BYTES = 64 * 1024;
const EARLY_MS = 5 * 60_000;
/** 3CX's documentation shows `expires_in: 60` for a token of an hour, its tutorial counts seconds: what is less than this are minutes. */
const LEAST_SECONDS = 300;
/** Of a login that was refused: many requests at once must not look like somebody who guesses it. */
const REFUSED_MS = 10_000;

export function createTokens(options: TokenOptions): Tokens {
  const { clock } = options;
  let current: { readonly token: string; readonly untilMs: number } | null = null;
  let asking: Promise<string> | null = null;
  let refusal: { readonly error: ConfigError; readonly untilMs: number } | null = null;
  const ask = async (): Promise<string> => {
    const sinceMs = clock.now();
    const { token, lifeMs } = await askFor(options);
    // A little early, as it may end on its way; half of a short life is early enough.
    current = { token, untilMs: sinceMs + Math.max(lifeMs - EARLY_MS, lifeMs / 2) };
    return token;
  };
  return {
    get() {
      if (asking !== null) return asking;
      if (current !== null && clock.now() < current.untilMs) return Promise.resolve(current.token);
      if (refusal !== null && clock.now() < refusal.untilMs) return Promise.reject(refusal.error);
      asking = ask()
        .catch((error: unknown) => {
          if (error instanceof ConfigError) refusal = { error, untilMs: clock.now() + REFUSED_MS };
          throw error;
        })
        .finally(() => {
          asking = null;
        });
      return asking;
    },
    refused(token) {
      if (current?.token === token) current = null;
    },
  };
}

/** `POST /connect/token` with the client credentials, as a form (3CX, Call Control API docs). */
async function askFor(options: TokenOptions): Promise<{ readonly token: string; readonly lifeMs: number }> {
  const form = new URLSearchParams({
    client_id: options.clientId,
    client_secret: options.clientSecret,
    grant_type: 'client_credentials',
  });
  const answer = await options.http
    .ask({
      method: 'POST',
      url: `${options.baseUrl}/connect/token`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: form.toString(),
      timeoutMs: TOKEN_MS,
      mostBytes: MOST_BYTES,
    })
    .catch((error: unknown) => {
      throw error instanceof HttpFailure ? failureOf(error, 'for a token', false) : error;
    });
  if (answer.status < 200 || answer.status > 299) throw refusedToken(answer);
  const body = rowOf(jsonOf(answer.bytes.toString()));
  const token = textOf(body?.access_token);
  // What is put into a header must be nothing else than a token.
  if (body === null || token === null || !/^[\x21-\x7e]+$/.test(token))
    throw new ProtocolError('3CX answered the request for a token with something that is none. Check PBX_FQDN.');
  return { token, lifeMs: lifeOf(token, numberOf(body.expires_in), options.clock.wall()) };
}

/** By the token itself where it is a JWT: from when it was made, so that this machine's clock need not be right. */
export function lifeOf(token: string, expiresIn: number | null, wallMs: number): number {
  const claims = rowOf(jsonOf(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()));
  const [exp, made] = [numberOf(claims?.exp), numberOf(claims?.iat) ?? numberOf(claims?.nbf) ?? wallMs / 1_000];
  if (exp !== null && exp > made) return (exp - made) * 1_000;
  const given = expiresIn ?? LEAST_SECONDS;
  return (given < LEAST_SECONDS ? given * 60 : given) * 1_000;
}

function refusedToken({ status }: HttpAnswer): Error {
  if (status === 400 || status === 401 || status === 403)
    return new ConfigError(
      '3CX refused the app’s login. Check PBX_CLIENT_ID (the number of the app’s route point) and PBX_CLIENT_SECRET (shown once when the app is added under Integrations, API), and that the app is not limited to other addresses.',
      { settings: ['PBX_CLIENT_ID', 'PBX_CLIENT_SECRET'] },
    );
  if (status === 404)
    return new ConfigError(
      'There is no 3CX v20 at PBX_FQDN: it knows no /connect/token. Check the address and its port.',
      {
        settings: ['PBX_FQDN'],
      },
    );
  return new UpstreamError(`3CX gave no token (HTTP ${status}). Try again later.`, {
    retryable: status === 429 || status >= 500,
    code: `http-${status}`,
  });
}
