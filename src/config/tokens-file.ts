import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { type Access, SCOPES } from './access.ts';

/** A named bearer token: what it opens, and the digest by which it is known. */
export interface NamedToken {
  readonly access: Access;
  /** SHA-256 of the token. */
  readonly digest: Buffer;
}

export interface TokensReading {
  readonly tokens: readonly NamedToken[];
  /** Why the file cannot be used; then none of its tokens counts. */
  readonly complaint: string | null;
  /** Sentences about a file that is used nevertheless. */
  readonly warnings: readonly string[];
}

/** What the one token without a file is called in limits and in the audit. */
export const RESERVED_NAME = 'MCP_AUTH_TOKEN';

const entrySchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,60}$/, 'must be letters, digits, dots, dashes or underscores, at most 60')
      .refine((name) => name !== RESERVED_NAME, `must not be ${RESERVED_NAME}`),
    token: z
      .string()
      .regex(/^\S{16,}$/, 'must be at least 16 characters without spaces')
      .optional(),
    sha256: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hexadecimal digits')
      .optional(),
    scopes: z.array(z.enum(SCOPES, `must be out of ${SCOPES.join(', ')}`)).min(1, 'must name at least one scope'),
  })
  .refine(({ token, sha256 }) => (token === undefined) !== (sha256 === undefined), 'must have either token or sha256');
const fileSchema = z.strictObject({ tokens: z.array(entrySchema).min(1, 'must hold at least one') });

export function tokenDigest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Reads the file of `MCP_TOKENS_FILE`. Never throws; no sentence repeats a token. */
export function readTokensFile(path: string): TokensReading {
  const refuse = (why: string): TokensReading => ({
    tokens: [],
    complaint: `The file of MCP_TOKENS_FILE ${why}. None of its tokens is accepted until it is right.`,
    warnings: [],
  });
  let text: string;
  let mode: number;
  try {
    text = readFileSync(path, 'utf8');
    mode = statSync(path).mode;
  } catch (error) {
    return refuse(`cannot be read (${error instanceof Error && 'code' in error ? error.code : 'unknown'})`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse('is not JSON');
  }
  const read = fileSchema.safeParse(value);
  if (!read.success) return refuse(wrongness(read.error));
  const tokens = read.data.tokens.map(
    ({ name, token, sha256, scopes }): NamedToken => ({
      access: { name, scopes: new Set(scopes) },
      digest: token === undefined ? Buffer.from(sha256 ?? '', 'hex') : tokenDigest(token),
    }),
  );
  const twice = (keys: readonly string[]) => new Set(keys).size < keys.length;
  if (twice(tokens.map(({ access }) => access.name))) return refuse('has two tokens of one name');
  if (twice(tokens.map(({ digest }) => digest.toString('hex')))) return refuse('has one token under two names');
  const isOpen = process.platform !== 'win32' && (mode & 0o077) !== 0;
  const warnings = isOpen ? ['Others on this machine can read the file of MCP_TOKENS_FILE: chmod 600 it.'] : [];
  return { tokens, complaint: null, warnings };
}

function wrongness(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return 'has the wrong form';
  const place = issue.path.map(String).join('.') || 'its content';
  if (issue.code === 'unrecognized_keys') return `names something unknown in ${place}`;
  return `is wrong: ${place} ${issue.message.startsWith('must') ? issue.message : 'has the wrong form'}`;
}
