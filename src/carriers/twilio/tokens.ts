/** Opaque tokens for URLs: 24 random bytes, kept only as SHA-256, compared in constant time, each with an owner and an end. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const TOKEN_BYTES = 24;

interface Entry<Owner> {
  readonly digest: Buffer;
  readonly owner: Owner;
  /** On the given clock; null lives until it is forgotten. */
  readonly endsAtMs: number | null;
}

/** A token's SHA-256: what we keep instead of it. */
export type TokenDigest = Buffer;

export function digestOf(token: string): TokenDigest {
  return createHash('sha256').update(token).digest();
}

/** Constant in time for every text that is given. */
export function isToken(digest: TokenDigest, given: string): boolean {
  return timingSafeEqual(digest, digestOf(given));
}

export interface TokenBook<Owner> {
  mint(owner: Owner, ttlMs: number | null): string;
  find(token: string): Owner | null;
  forget(token: string): void;
  /** How many are alive; what has ended is swept. */
  size(): number;
}

/** `now` is monotonic, in milliseconds. */
export function createTokenBook<Owner>(now: () => number): TokenBook<Owner> {
  const entries = new Map<string, Entry<Owner>>();

  const sweep = (): void => {
    const atMs = now();
    for (const [key, entry] of entries) if (entry.endsAtMs !== null && entry.endsAtMs <= atMs) entries.delete(key);
  };

  return {
    mint(owner, ttlMs) {
      sweep();
      const token = randomBytes(TOKEN_BYTES).toString('base64url');
      const digest = digestOf(token);
      entries.set(digest.toString('hex'), { digest, owner, endsAtMs: ttlMs === null ? null : now() + ttlMs });
      return token;
    },
    find(token) {
      const digest = digestOf(token);
      const entry = entries.get(digest.toString('hex'));
      if (entry === undefined || !timingSafeEqual(entry.digest, digest)) return null;
      return entry.endsAtMs !== null && entry.endsAtMs <= now() ? null : entry.owner;
    },
    forget(token) {
      entries.delete(digestOf(token).toString('hex'));
    },
    size() {
      sweep();
      return entries.size;
    },
  };
}
