import { createHmac, randomBytes } from 'node:crypto';
import type { ThreeCxFaults } from './faults.ts';
import type { Reply } from './reply.ts';

export interface TokenOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly lifeMinutes: number;
  /** What `expires_in` says: 3CX means minutes by it, and not every build does. */
  readonly expiresIn: number;
  readonly wall: () => number;
  readonly faults: ThreeCxFaults;
  violated(sentence: string): void;
}

/** One that was given out. */
export interface Token {
  readonly text: string;
  readonly expiresAtMs: number;
  readonly lifeMs: number;
  isRevoked: boolean;
  isUsed: boolean;
  /** The app was told 401 since: it may well ask for another one. */
  isRejected: boolean;
  openSockets: number;
}

/** OAuth 2 of a 3CX: client credentials alone, one live token a client (3CX, XAPI tutorial). */
export class Tokens {
  readonly #options: TokenOptions;
  readonly #key = randomBytes(32);
  readonly #issued: Token[] = [];

  constructor(options: TokenOptions) {
    this.#options = options;
  }

  issue(form: ReadonlyMap<string, string>): Reply {
    const { clientId, clientSecret, expiresIn, faults, violated } = this.#options;
    if (form.get('grant_type') === 'password') violated('A person’s own password was used to sign in.');
    if (form.get('grant_type') !== 'client_credentials') return refusal(400, 'unsupported_grant_type');
    if (form.get('client_id') !== clientId || form.get('client_secret') !== clientSecret)
      return refusal(401, 'invalid_client');
    const latest = this.#issued.at(-1);
    if (latest !== undefined && this.#isWasted(latest)) violated('A second token was asked for while one was good.');
    if (!faults.olderTokensStayGood) this.revoke();
    const token = this.#make();
    this.#issued.push(token);
    return {
      status: 200,
      body: { token_type: 'Bearer', expires_in: expiresIn, access_token: token.text, refresh_token: null },
    };
  }

  /** The good token that the header carries, or null. */
  accept(authorization: string | undefined): Token | null {
    const token = this.#issued.find((one) => authorization === `Bearer ${one.text}`);
    if (token === undefined || token.isRevoked || this.#options.wall() >= token.expiresAtMs) return null;
    token.isUsed = true;
    return token;
  }

  /** An events socket was opened with it; to be called when that closes. */
  usedBySocket(token: Token): () => void {
    token.openSockets += 1;
    return () => {
      token.openSockets -= 1;
    };
  }

  /** A request was answered with 401. */
  rejected(): void {
    for (const token of this.#issued) token.isRejected = true;
  }

  revoke(): void {
    for (const token of this.#issued) token.isRevoked = true;
  }

  /** Another process may ask when the first is gone; one that never used its token, or still listens with it, should not. */
  #isWasted(token: Token): boolean {
    const leftMs = token.expiresAtMs - this.#options.wall();
    if (token.isRevoked || token.isRejected || leftMs < token.lifeMs / 2) return false;
    return !token.isUsed || token.openSockets > 0;
  }

  #make(): Token {
    const { clientId, lifeMinutes, wall } = this.#options;
    const issuedAtMs = wall();
    const lifeMs = lifeMinutes * 60_000;
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = {
      sub: clientId,
      client_id: clientId,
      role: ['Enterprise'],
      jti: randomBytes(8).toString('hex'),
      iat: Math.floor(issuedAtMs / 1_000),
      exp: Math.floor((issuedAtMs + lifeMs) / 1_000),
    };
    const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
    const text = `${signed}.${createHmac('sha256', this.#key).update(signed).digest('base64url')}`;
    return {
      text,
      expiresAtMs: issuedAtMs + lifeMs,
      lifeMs,
      isRevoked: false,
      isUsed: false,
      isRejected: false,
      openSockets: 0,
    };
  }
}

function refusal(status: number, error: string): Reply {
  return { status, body: { error, error_description: 'The client may not sign in so.' } };
}
