import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CarrierEvent } from '../../../src/call/events.ts';
import type { CallId } from '../../../src/call/words.ts';
import type { Carrier, EncodedText, Line, MediaSocket, WebhookReply } from '../../../src/carriers/carrier.ts';
import { createTwilioCarrier, type TwilioOptions } from '../../../src/carriers/twilio/carrier.ts';

export const ACCOUNT = `AC${'0'.repeat(32)}`;
export const AUTH_TOKEN = 'primary-auth-token';
export const NUMBER = '+14155550100';
export const CALLEE = '+14155550123';
export const PUBLIC_URL = 'https://calls.example.com';

export function callSid(n: number): string {
  return `CA${String(n).padStart(32, '0')}`;
}

/** Twilio docs, "Webhooks security": URL, then the sorted names with their values, HMAC-SHA1, base64. */
export function sign(url: string, form: Readonly<Record<string, string>> = {}, token = AUTH_TOKEN): string {
  const text = Object.keys(form)
    .sort()
    .reduce((all, name) => all + name + form[name], url);
  return createHmac('sha1', token).update(text).digest('base64');
}

/** A clock that moves when it is told to. */
export class HandClock {
  private atMs = 0;
  private timers: { readonly dueMs: number; readonly callback: () => void }[] = [];
  readonly now = (): number => this.atMs;
  readonly setTimer = (callback: () => void, delayMs: number): (() => void) => {
    const timer = { dueMs: this.atMs + delayMs, callback };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  };
  pass(ms: number): void {
    this.atMs += ms;
    const due = this.timers.filter((timer) => timer.dueMs <= this.atMs);
    this.timers = this.timers.filter((timer) => timer.dueMs > this.atMs);
    for (const timer of due) timer.callback();
  }
}

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly form: URLSearchParams;
  readonly authorization: string;
}

/** `reset` breaks the connection after the request was read; null never answers. */
export type ApiAnswer = { readonly status: number; readonly body: unknown } | 'reset' | null;

/** A REST endpoint that says what a test tells it to, one function for every request. */
export async function startApi(answer: (request: ApiRequest) => ApiAnswer | Promise<ApiAnswer>) {
  const requests: ApiRequest[] = [];
  const server = createServer(async (incoming, response) => {
    const url = new URL(incoming.url ?? '/', 'http://api');
    const request: ApiRequest = {
      method: incoming.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      form: new URLSearchParams(await textOf(incoming)),
      authorization: incoming.headers.authorization ?? '',
    };
    requests.push(request);
    const given = await answer(request);
    if (given === null) return;
    if (given === 'reset') {
      incoming.socket.resetAndDestroy();
      return;
    }
    response.writeHead(given.status, { 'content-type': 'application/json' });
    response.end(typeof given.body === 'string' ? given.body : JSON.stringify(given.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    requests,
    baseUrl: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of incoming) text += String(piece);
  return text;
}

export function callBody(sid: string, more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    sid,
    account_sid: ACCOUNT,
    status: 'queued',
    to: CALLEE,
    from: NUMBER,
    date_created: new Date().toUTCString(),
    ...more,
  };
}

export interface Rig {
  readonly carrier: Carrier;
  readonly clock: HandClock;
  readonly logged: string[];
}

export function makeRig(apiBaseUrl: string, options: Partial<TwilioOptions> = {}): Rig {
  const clock = new HandClock();
  const logged: string[] = [];
  const log = (fields: Readonly<Record<string, unknown>>, message: string) =>
    logged.push(`${message} ${JSON.stringify(fields)}`);
  const carrier = createTwilioCarrier({
    accountSid: ACCOUNT,
    authToken: AUTH_TOKEN,
    number: NUMBER,
    publicUrl: PUBLIC_URL,
    apiBaseUrl,
    clock,
    healthProof: (nonce) => `proof of ${nonce}`,
    logger: { debug: log, info: log, warn: log, error: log },
    requestTimeoutMs: 2_000,
    ...options,
  });
  return { carrier, clock, logged };
}

export interface Listener {
  readonly line: Line;
  readonly events: CarrierEvent[];
  readonly heard: { readonly hex: string; readonly mediaMs: number }[];
  /** Waits until an event of this type has come, the nth one. */
  until<T extends CarrierEvent['type']>(type: T, count?: number): Promise<Extract<CarrierEvent, { type: T }>>;
}

export function listenTo(
  carrier: Carrier,
  onEvent: (event: CarrierEvent, line: Line) => void = () => undefined,
): Listener {
  const events: CarrierEvent[] = [];
  const heard: Listener['heard'] = [];
  const waiters = new Set<() => void>();
  const line = carrier.line({
    callId: 'call-1' as CallId,
    emit: (event) => {
      events.push(event);
      onEvent(event, line);
      for (const wake of [...waiters]) wake();
    },
    hear: (audio, mediaMs) => {
      heard.push({ hex: Buffer.from(audio.bytes()).toString('hex'), mediaMs });
      for (const wake of [...waiters]) wake();
    },
  });
  const until: Listener['until'] = (type, count = 1) =>
    new Promise((resolve, reject) => {
      const deadline = setTimeout(() => {
        waiters.delete(look);
        reject(new Error(`No ${type}; there was ${events.map((event) => event.type).join(', ')}`));
      }, 5_000);
      const look = (): void => {
        const found = events.filter(
          (event): event is Extract<CarrierEvent, { type: typeof type }> => event.type === type,
        )[count - 1];
        if (found === undefined) return;
        clearTimeout(deadline);
        waiters.delete(look);
        resolve(found);
      };
      waiters.add(look);
      look();
    });
  return { line, events, heard, until };
}

export type Form = Readonly<Record<string, string>>;

/** Asks a route of the carrier as Twilio would: with a signed form, at the URL that we gave it. */
export async function post(
  carrier: Carrier,
  url: string,
  form: Form,
  signature?: string | null,
): Promise<WebhookReply> {
  const target = new URL(url).pathname;
  const [, token = ''] = /^\/call\/[a-z]+\/(.+)$/.exec(target) ?? [];
  const route = carrier.webhooks.find(({ path }) => path === target.replace(token, ':token'));
  if (route === undefined) throw new Error(`No route for ${target}`);
  const whole = { AccountSid: ACCOUNT, CallStatus: 'in-progress', ...form };
  const header = signature === undefined ? sign(url, whole) : (signature ?? undefined);
  return route.handle({
    params: { token },
    target,
    headers: { host: 'elsewhere.example.com', 'x-twilio-signature': header },
    form: whole,
  });
}

export function streamOf(twiml: string): { readonly url: string; readonly token: string; readonly afterUrl: string } {
  const url = /<Stream url="([^"]+)">/.exec(twiml)?.[1];
  const token = /<Parameter name="token" value="([^"]+)"\/>/.exec(twiml)?.[1];
  const afterUrl = /<Connect action="([^"]+)"/.exec(twiml)?.[1];
  if (url === undefined || token === undefined || afterUrl === undefined) throw new Error(`No stream in ${twiml}`);
  return { url, token, afterUrl };
}

/** A socket that a test holds the other end of. */
export class PipeSocket implements MediaSocket {
  bufferedAmount = 0;
  readonly sent: string[] = [];
  closedWith: number | 'terminated' | null = null;
  private readonly messageListeners: ((data: Buffer, isBinary: boolean) => void)[] = [];
  private readonly closeListeners: ((code: number) => void)[] = [];

  send(data: string | Uint8Array): void {
    this.sent.push(String(data));
  }
  sendEncoded(message: EncodedText): void {
    const text = Buffer.alloc(message.length);
    message.copyTo(text, 0);
    this.sent.push(text.toString());
  }
  close(code: number): void {
    this.drop(code);
  }
  terminate(): void {
    this.drop('terminated');
  }
  onMessage(listener: (data: Buffer, isBinary: boolean) => void): void {
    this.messageListeners.push(listener);
  }
  onClose(listener: (code: number) => void): void {
    this.closeListeners.push(listener);
  }
  /** The peer sends. */
  give(message: string | object, isBinary = false): void {
    const data = Buffer.from(typeof message === 'string' ? message : JSON.stringify(message));
    for (const listener of this.messageListeners) listener(data, isBinary);
  }
  /** The connection ends. */
  drop(how: number | 'terminated' = 1006): void {
    if (this.closedWith !== null) return;
    this.closedWith = how;
    for (const listener of this.closeListeners) listener(typeof how === 'number' ? how : 1006);
  }
}

export function upgrade(
  carrier: Carrier,
  url: string,
  signature: string | undefined = sign(url),
): { readonly accept: boolean; readonly status: number; connect(socket: MediaSocket): void } {
  const [route] = carrier.sockets;
  if (route === undefined) throw new Error('No socket route');
  const target = new URL(url).pathname;
  const request = {
    params: { token: target.split('/')[3] ?? '' },
    target,
    headers: { host: 'elsewhere.example.com', 'x-twilio-signature': signature },
  };
  const verdict = route.authorize(request);
  return {
    accept: verdict.accept,
    status: verdict.accept ? 101 : verdict.status,
    connect: (socket) => route.connect(socket, request),
  };
}

export const STREAM_SID = `MZ${'1'.repeat(32)}`;

export function startMessage(token: string, sid: string, more: Readonly<Record<string, unknown>> = {}): object {
  return {
    event: 'start',
    sequenceNumber: '1',
    start: {
      accountSid: ACCOUNT,
      streamSid: STREAM_SID,
      callSid: sid,
      tracks: ['inbound'],
      mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
      customParameters: { token },
      ...more,
    },
    streamSid: STREAM_SID,
  };
}

export const CONNECTED = { event: 'connected', protocol: 'Call', version: '1.0.0' };

/** Attaches a stream to the document that was served. */
export function attach(carrier: Carrier, twiml: string, sid: string): PipeSocket {
  const { url, token } = streamOf(twiml);
  const opened = upgrade(carrier, url);
  if (!opened.accept) throw new Error('The upgrade was refused');
  const socket = new PipeSocket();
  opened.connect(socket);
  socket.give(CONNECTED);
  socket.give(startMessage(token, sid));
  return socket;
}
