import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Answer } from '../callee/callee.ts';
import { close, listen, readBody } from '../loopback.ts';
import type { NetworkOptions } from '../network/network.ts';
import { seededRandom } from '../network/random.ts';
import type { Phrase } from '../speech/phrasebook.ts';
import { SimulatedCall } from './call.ts';
import type { CallSettings, CallWorld } from './call-world.ts';
import { QUIET_HOUR, type TwilioKnobs } from './knobs.ts';
import { answerRest, type RestAccount, type RestReply } from './rest.ts';
import type { FormFields } from './signature.ts';

export interface TwilioSimulatorOptions {
  /** Who is at the other end of a number. */
  readonly answer: (to: string) => Answer;
  /** 0 or absent takes a free port of 127.0.0.1. */
  readonly port?: number;
  readonly accountSid?: string;
  readonly authToken?: string;
  readonly secondaryAuthToken?: string;
  readonly apiKey?: string;
  readonly apiSecret?: string;
  /** The one number that the account owns, E.164. */
  readonly number?: string;
  readonly network?: NetworkOptions;
  readonly knobs?: Partial<TwilioKnobs>;
  readonly seed?: number;
  /** With a phrasebook each call has an `ear`. */
  readonly phrases?: readonly Phrase[];
  /** Certificates that are trusted for `https:` and `wss:`. */
  readonly ca?: string | Buffer;
}

export interface TwilioSimulator {
  /** What to set as the API's base URL: `http://127.0.0.1:PORT`. */
  readonly baseUrl: string;
  readonly accountSid: string;
  readonly authToken: string;
  readonly number: string;
  /** In the order of their creation. */
  readonly calls: readonly SimulatedCall[];
  readonly knobs: TwilioKnobs;
  /** Called for each new call before it is dialled; answers how to stop listening. */
  onCall(listener: (call: SimulatedCall) => void): () => void;
  /** Ends everything; no socket, timer or server stays open. */
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 64 * 1024;

/** A Twilio account on loopback: REST, webhooks, TwiML and Media Streams, as strict as the real one. */
export async function startTwilioSimulator(options: TwilioSimulatorOptions): Promise<TwilioSimulator> {
  const account = new Account(options);
  const server = createServer((request, response) => {
    serve(request, response, account).catch(() => response.destroy());
  });
  const port = await listen(server, options.port);
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    accountSid: account.accountSid,
    authToken: account.authToken,
    number: account.number,
    calls: account.calls,
    knobs: account.knobs,
    onCall: (listener) => {
      account.listeners.add(listener);
      return () => account.listeners.delete(listener);
    },
    close: () => account.close(server),
  };
}

class Account implements RestAccount {
  readonly accountSid: string;
  readonly authToken: string;
  readonly number: string;
  readonly knobs: TwilioKnobs;
  readonly calls: SimulatedCall[] = [];
  readonly credentials: readonly (readonly [string, string])[];
  readonly listeners = new Set<(call: SimulatedCall) => void>();
  private readonly options: TwilioSimulatorOptions;
  private readonly random: () => number;
  private readonly closing = new AbortController();

  constructor(options: TwilioSimulatorOptions) {
    this.options = options;
    this.random = seededRandom(options.seed ?? 1);
    this.accountSid = options.accountSid ?? this.newSid('AC');
    this.authToken = options.authToken ?? this.newSid('');
    this.number = options.number ?? '+14155550100';
    // Copies, as some count down: two accounts may be opened with the same ones.
    this.knobs = structuredClone({ ...QUIET_HOUR, ...options.knobs });
    const { secondaryAuthToken, apiKey, apiSecret } = options;
    this.credentials = [
      [this.accountSid, this.authToken],
      ...(secondaryAuthToken === undefined ? [] : [[this.accountSid, secondaryAuthToken] as const]),
      ...(apiKey === undefined || apiSecret === undefined ? [] : [[apiKey, apiSecret] as const]),
    ];
  }

  newSid(prefix: string): string {
    const digits = Array.from({ length: 32 }, () => Math.floor(this.random() * 16).toString(16));
    return prefix + digits.join('');
  }

  create(settings: CallSettings, params: FormFields): SimulatedCall {
    const { options } = this;
    const world: CallWorld = {
      accountSid: this.accountSid,
      authToken: this.authToken,
      secondaryAuthToken: options.secondaryAuthToken ?? null,
      knobs: this.knobs,
      network: options.network ?? {},
      seed: (options.seed ?? 1) + this.calls.length * 1_009,
      phrases: options.phrases ?? null,
      ca: options.ca,
      answer: options.answer,
      newSid: (prefix) => this.newSid(prefix),
      closing: this.closing.signal,
    };
    const call = new SimulatedCall(this.newSid('CA'), settings, params, world);
    this.calls.push(call);
    for (const listener of this.listeners) listener(call);
    // The answer to the create describes a queued call; dialling comes after it.
    setImmediate(() => call.begin());
    return call;
  }

  async close(server: Server): Promise<void> {
    this.closing.abort();
    for (const call of this.calls) call.destroy();
    await close(server);
  }
}

async function serve(request: IncomingMessage, response: ServerResponse, account: Account): Promise<void> {
  const body = await readBody(request, MAX_BODY_BYTES);
  if (body === null) throw new Error('The body is too large');
  const form = new URLSearchParams(body.toString('utf8'));
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const reply = answerRest(
    { method: request.method ?? '', url, authorization: request.headers.authorization, form },
    account,
  );
  if (reply.created !== undefined && !(await answerOfCreate(reply.created, response, account.knobs))) return;
  if (reply.updated && account.knobs.updateAnswer !== 'at-once') {
    if (account.knobs.updateAnswer === 'lost') response.socket?.destroy();
    return;
  }
  respond(response, reply, account.knobs);
}

/** False when the client is never to hear of the call that it made. */
async function answerOfCreate(call: SimulatedCall, response: ServerResponse, knobs: TwilioKnobs): Promise<boolean> {
  switch (knobs.createAnswer) {
    case 'at-once':
      return true;
    case 'after-webhook':
      await call.firstWebhook;
      return true;
    case 'lost':
      response.socket?.destroy();
      return false;
    case 'hangs':
      return false;
    default: {
      const never: never = knobs.createAnswer;
      return never;
    }
  }
}

function respond(response: ServerResponse, reply: RestReply, { clockMs }: TwilioKnobs): void {
  if (clockMs !== 0) response.setHeader('date', new Date(Date.now() + clockMs).toUTCString());
  response.writeHead(reply.status, { 'content-type': 'application/json', 'twilio-request-id': 'RQ0' });
  response.end(JSON.stringify(reply.body));
}
