import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import { z } from 'zod';
import { TOOLSETS } from '../../config/schema.ts';
import { ConfigError, ProtocolError } from '../../errors.ts';
import { parsedJson } from '../json-rpc.ts';
import { RELAY_PROTOCOL } from './owner-file.ts';
import { readLine } from './read-line.ts';

/**
 * How a process that passes its client's messages on (the relay) and the one that owns the telephone (the owner) know each other:
 * both prove that they can read the owner's file, neither shows the token. One JSON object a line:
 * owner {`nonce`} → relay {`nonce`, `proof`, `hello`} → owner {`proof`, `welcome`} or {`proof`, `refusal`}; after that the client's lines.
 */

/** What a relay says of itself and its client. */
const helloSchema = z.object({
  protocol: z.number(),
  version: z.string().max(100),
  pid: z.number(),
  offer: z.object({
    toolsets: z.array(z.enum(TOOLSETS)).readonly(),
    tools: z.array(z.string()).readonly(),
    excludeTools: z.array(z.string()).readonly(),
    readOnly: z.boolean(),
    confirmCalls: z.enum(['never', 'when-possible', 'always']),
  }),
  /** Digests of the settings that it was given, by name. */
  settings: z.record(z.string(), z.string()),
});
export type Hello = z.output<typeof helloSchema>;

const welcomeSchema = z.object({ kind: z.enum(['stdio', 'serve']), version: z.string() });
export type Welcome = z.output<typeof welcomeSchema>;

const LIMITS = { mostBytes: 64 * 1024, timeoutMs: 5_000 };
const openingSchema = z.object({ nonce: z.string().min(20) });
/** Whatever else another version may say of itself. */
const answerSchema = openingSchema.extend({
  proof: z.string(),
  hello: z.looseObject({ protocol: z.number(), version: z.string().max(100) }),
});
const closingSchema = z.object({
  proof: z.string(),
  welcome: welcomeSchema.optional(),
  refusal: z.string().optional(),
});

/**
 * The owner's side; `whyNot` gives the reason when there is no room for a client. Rejects with a ProtocolError when whoever calls does
 * not know the token, or is refused; then the socket is to be closed.
 */
export async function greetRelay(
  socket: Socket,
  token: string,
  welcome: Welcome,
  whyNot: () => string | null = () => null,
): Promise<Hello> {
  const ours = randomBytes(24).toString('base64url');
  say(socket, { nonce: ours });
  const { nonce: theirs, proof, hello } = await hear(socket, answerSchema);
  if (!isEqual(proof, proofOf(token, 'relay', ours, theirs)))
    throw new ProtocolError('A relay does not know the token.');
  const own = proofOf(token, 'owner', ours, theirs);
  const { success, data } = helloSchema.safeParse(hello);
  const understood = success && data.protocol === RELAY_PROTOCOL ? data : null;
  const refusal = understood === null ? otherVersion(welcome.version, hello.version) : whyNot();
  if (understood !== null && refusal === null) {
    say(socket, { proof: own, welcome });
    return understood;
  }
  say(socket, { proof: own, refusal });
  throw new ProtocolError('A relay was refused.');
}

function otherVersion(ours: string, theirs: string): string {
  return `The Switchboard process that owns the telephone is of version ${ours}, this client started one of version ${theirs}, and they do not understand each other. Update the older one, and restart its client.`;
}

/**
 * The relay's side. Nothing of the client is said before the other side has proved itself. Rejects with a ProtocolError when that is
 * not the owner, with a ConfigError when the owner refuses.
 */
export async function greetOwner(socket: Socket, token: string, hello: Hello): Promise<Welcome> {
  const { nonce: theirs } = await hear(socket, openingSchema);
  const ours = randomBytes(24).toString('base64url');
  say(socket, { nonce: ours, proof: proofOf(token, 'relay', theirs, ours), hello });
  const { proof, welcome, refusal } = await hear(socket, closingSchema);
  if (!isEqual(proof, proofOf(token, 'owner', theirs, ours)))
    throw new ProtocolError('What listens at the port of the owner is another program.');
  if (welcome === undefined) throw new ConfigError(refusal ?? 'The owner of the telephone refused this client.');
  return welcome;
}

/** One that differs for each setting, each value and each owner, so that it tells nothing but whether two values are the same. */
export function settingDigest(token: string, name: string, value: unknown): string {
  return createHmac('sha256', token)
    .update(`setting\0${name}\0${JSON.stringify(value)}`)
    .digest('base64url');
}

function proofOf(token: string, side: 'owner' | 'relay', ownerNonce: string, relayNonce: string): string {
  return createHmac('sha256', token).update(`${side}\0${ownerNonce}\0${relayNonce}`).digest('base64url');
}

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function say(socket: Socket, message: object): void {
  socket.write(`${JSON.stringify(message)}\n`);
}

async function hear<Schema extends z.ZodType>(socket: Socket, schema: Schema): Promise<z.output<Schema>> {
  const line = await readLine(socket, LIMITS);
  const read = schema.safeParse(parsedJson(line));
  if (!read.success) throw new ProtocolError('The other side is no Switchboard.', { cause: read.error });
  return read.data;
}
