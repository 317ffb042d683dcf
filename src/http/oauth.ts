/** OAuth 2.1 resource server: access tokens of a configured issuer (RFC 9068 in its looser, common form), and RFC 9728 metadata. */
import { createRemoteJWKSet, customFetch, errors, type FetchImplementation, type JWTPayload, jwtVerify } from 'jose';
import { type Access, SCOPES, type Scope } from '../config/access.ts';
import { isLoopback } from '../config/kinds.ts';
import { UpstreamError } from '../errors.ts';

export interface OAuthSettings {
  readonly issuer: string;
  /** What its tokens must name; any text. */
  readonly audience: string;
  /** Our own address, for clients that ask where to get a token; null when nobody has told it. */
  readonly resource: string | null;
  /** Null: as the issuer's metadata says. */
  readonly jwksUrl: string | null;
}

/** Signatures only: a shared secret would make every verifier an issuer. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const TOLERANCE_SECONDS = 30;
const TIMEOUT_MS = 5_000;
/** An issuer that does not answer is not asked again for each request. */
const RETRY_MS = 10_000;
const MOST_NAME = 80;

export interface TokenVerifier {
  /** Null when the token is not one of the issuer's for us. Rejects with an UpstreamError when that cannot be found out now. */
  verify(token: string): Promise<Access | null>;
}

export function createTokenVerifier({ issuer, audience, jwksUrl }: OAuthSettings): TokenVerifier {
  const ask = calmFetch();
  let keys: Promise<ReturnType<typeof createRemoteJWKSet>> | null = null;

  function keySet(): Promise<ReturnType<typeof createRemoteJWKSet>> {
    if (keys !== null) return keys;
    keys = (jwksUrl === null ? discover(issuer, ask) : Promise.resolve(jwksUrl)).then((url) => {
      const options = { timeoutDuration: TIMEOUT_MS, cooldownDuration: RETRY_MS, [customFetch]: ask };
      return createRemoteJWKSet(new URL(url), options);
    });
    keys.catch(() => {
      keys = null;
    });
    return keys;
  }

  return {
    verify: async (token) => {
      if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return null;
      try {
        const { payload } = await jwtVerify(token, await keySet(), {
          issuer: [issuer, `${issuer}/`],
          audience,
          algorithms: ALGORITHMS,
          requiredClaims: ['exp'],
          clockTolerance: TOLERANCE_SECONDS,
        });
        return accessOf(payload);
      } catch (cause) {
        if (isRefusal(cause)) return null;
        const message =
          'The issuer of OAUTH_ISSUER cannot be reached, so its tokens cannot be checked. Try again later.';
        throw new UpstreamError(message, { cause, retryable: true });
      }
    },
  };
}

/** Asks nobody for a while after a failure: neither for metadata nor for keys, however many tokens come meanwhile. */
function calmFetch(): FetchImplementation {
  let notBeforeMs = 0;
  return async (url, options) => {
    if (performance.now() < notBeforeMs) throw new Error('The issuer did not answer a moment ago.');
    const response = await fetch(url, options).catch((error: unknown) => {
      notBeforeMs = performance.now() + RETRY_MS;
      throw error;
    });
    if (response.status >= 500) notBeforeMs = performance.now() + RETRY_MS;
    return response;
  };
}

/** What is wrong with the token itself, and not with the way to its issuer's keys. */
function isRefusal(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return false;
  // What the JWKS' own HTTP failure is.
  return error instanceof errors.JOSEError && error.constructor !== errors.JOSEError;
}

function accessOf(payload: JWTPayload): Access {
  const given = [payload.scope, payload.scp]
    .flat()
    .flatMap((value) => (typeof value === 'string' ? value.split(' ') : []));
  const scopes = SCOPES.filter((scope) => given.includes(scope));
  const who = [payload.client_id, payload.azp, payload.sub].find((value) => typeof value === 'string' && value !== '');
  const name = `oauth:${who ?? 'somebody'}`.replace(/[^\x21-\x7e]/g, '_').slice(0, MOST_NAME);
  return { name, scopes: new Set<Scope>(scopes) };
}

/** RFC 8414, its path inserted before the issuer's own; then OpenID Connect Discovery, appended. */
async function discover(issuer: string, ask: FetchImplementation): Promise<string> {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/+$/, '');
  const places = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
  let failure: unknown = new Error('The issuer has no metadata.');
  for (const place of places) {
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const response = await ask(place, { method: 'GET', headers: new Headers(), signal, redirect: 'manual' });
      if (!response.ok) continue;
      const { issuer: named, jwks_uri: url } = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown };
      if (typeof named !== 'string' || named.replace(/\/+$/, '') !== issuer)
        throw new Error('The metadata is of another issuer.');
      if (typeof url === 'string' && isSafe(url)) return url;
      throw new Error('The metadata names no keys that may be fetched.');
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function isSafe(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

/** RFC 9728. Null where our own address is not known. */
export function resourceMetadata({ issuer, resource }: OAuthSettings): object | null {
  if (resource === null) return null;
  return {
    resource,
    authorization_servers: [issuer],
    scopes_supported: SCOPES,
    bearer_methods_supported: ['header'],
    resource_name: 'Switchboard',
  };
}
