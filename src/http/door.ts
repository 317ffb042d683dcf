/** Who is let in at the private listener: tokens, their limits, and what an answer says to who is not. */
import { timingSafeEqual } from 'node:crypto';
import { statSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { type Access, LOCAL_ACCESS } from '../config/access.ts';
import { type NamedToken, RESERVED_NAME, readTokensFile, tokenDigest } from '../config/tokens-file.ts';
import type { HttpLog } from './app.ts';
import { createTokenVerifier, type OAuthSettings, type TokenVerifier } from './oauth.ts';

export interface DoorOptions {
  /** The one that may do everything. */
  readonly authToken: string | null;
  readonly tokensFile: string | null;
  readonly allowQueryToken: boolean;
  readonly oauth: OAuthSettings | null;
  /** Where the metadata of RFC 9728 is, for clients that are not let in. */
  readonly metadataUrl: string | null;
  readonly requestsPerMinute: number;
  readonly logger: HttpLog;
}

export type Verdict =
  | { readonly kind: 'in'; readonly access: Access }
  | {
      readonly kind: 'out';
      readonly status: 401 | 429;
      readonly message: string;
      readonly headers: Readonly<Record<string, string>>;
    };

/** Everybody who comes from one address; a token that is right is never refused for the wrong ones of others. */
const WRONG_PER_MINUTE = 60;
/** How often the file of tokens is looked at. */
const LOOK_MS = 1_000;
const ASKS = 'Show a token as Authorization: Bearer.';

export class Door {
  readonly #options: DoorOptions;
  readonly #verifier: TokenVerifier | null;
  readonly #rate: RateLimiterMemory;
  readonly #wrong = new RateLimiterMemory({ points: WRONG_PER_MINUTE, duration: 60, keyPrefix: 'wrong' });
  readonly #fixed: readonly NamedToken[];
  #filed: readonly NamedToken[] = [];
  #fileMark: string | null = null;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: DoorOptions) {
    this.#options = options;
    const { authToken, oauth, requestsPerMinute } = options;
    this.#verifier = oauth === null ? null : createTokenVerifier(oauth);
    this.#rate = new RateLimiterMemory({ points: requestsPerMinute, duration: 60, keyPrefix: 'rate' });
    const admin: Access = { name: RESERVED_NAME, scopes: new Set(['admin']) };
    this.#fixed = authToken === null ? [] : [{ access: admin, digest: tokenDigest(authToken) }];
    // What is wrong with it is told at the start, not to the first client.
    this.#readFile();
  }

  /** False where everybody on this machine may come in. A file of tokens that cannot be read opens nothing. */
  get needsToken(): boolean {
    const { authToken, tokensFile, oauth } = this.#options;
    return authToken !== null || tokensFile !== null || oauth !== null;
  }

  /** `addressToken` is the one in the request's address. Rejects with an UpstreamError when an issuer cannot be asked. */
  async judge(request: IncomingMessage, addressToken: string | null): Promise<Verdict> {
    if (!this.needsToken) return this.#within(LOCAL_ACCESS);
    const { authorization } = request.headers;
    const { allowQueryToken } = this.#options;
    const fromHeader = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? null;
    const shown = authorization === undefined && allowQueryToken ? addressToken : fromHeader;
    const access = shown === null ? null : (this.#find(shown) ?? (await this.#verifier?.verify(shown)) ?? null);
    if (access !== null) return this.#within(access);
    const advice = addressToken !== null && !allowQueryToken ? ' A token in the address is not taken here.' : '';
    return this.#refuse(request, shown !== null, `${ASKS}${advice}`);
  }

  /** Looks at all of them, whichever fits, so that the time tells nothing. */
  #find(shown: string): Access | null {
    this.#readFile();
    const digest = tokenDigest(shown);
    let found: Access | null = null;
    for (const token of [...this.#fixed, ...this.#filed]) {
      const fits = timingSafeEqual(digest, token.digest);
      // The first one counts: the file cannot narrow what a setting says.
      if (fits) found ??= token.access;
    }
    return found;
  }

  /** Again when it has changed, so that a token can be taken back without a restart. */
  #readFile(): void {
    const { tokensFile, logger } = this.#options;
    const nowMs = performance.now();
    if (tokensFile === null || nowMs - this.#lookedAtMs < LOOK_MS) return;
    this.#lookedAtMs = nowMs;
    const mark = markOf(tokensFile);
    if (mark === this.#fileMark) return;
    this.#fileMark = mark;
    const { tokens, complaint, warnings } = readTokensFile(tokensFile);
    this.#filed = tokens;
    for (const sentence of [complaint, ...warnings]) if (sentence !== null) logger.warn({}, sentence);
  }

  async #within(access: Access): Promise<Verdict> {
    const over = await spend(this.#rate, access.name);
    if (over === null) return { kind: 'in', access };
    const message = `More than ${this.#options.requestsPerMinute} requests a minute. Wait ${over} s.`;
    return { kind: 'out', status: 429, message, headers: { 'retry-after': String(over) } };
  }

  async #refuse(request: IncomingMessage, wasShown: boolean, message: string): Promise<Verdict> {
    const over = await spend(this.#wrong, request.socket.remoteAddress ?? '');
    if (over !== null) {
      const headers = { 'retry-after': String(over) };
      return {
        kind: 'out',
        status: 429,
        message: `Too many requests without a token that is known. Wait ${over} s.`,
        headers,
      };
    }
    const { metadataUrl } = this.#options;
    const parts = [
      'realm="switchboard"',
      ...(wasShown ? ['error="invalid_token"'] : []),
      ...(metadataUrl === null ? [] : [`resource_metadata="${metadataUrl}"`]),
    ];
    return { kind: 'out', status: 401, message, headers: { 'www-authenticate': `Bearer ${parts.join(', ')}` } };
  }
}

/** Seconds to wait, or null when there is a point left. */
async function spend(limiter: RateLimiterMemory, key: string): Promise<number | null> {
  try {
    await limiter.consume(key);
    return null;
  } catch (error) {
    if (error instanceof RateLimiterRes) return Math.max(1, Math.ceil(error.msBeforeNext / 1_000));
    throw error;
  }
}

function markOf(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return 'missing';
  }
}
