/**
 * The outside world of the bench, in a process of its own: a Twilio account and a Realtime server that speak the vendors'
 * protocols over loopback and think nothing, so that one core carries the load of 400 calls.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sign } from '../../simulator/twilio/signature.ts';
import { sendWebhook } from '../../simulator/twilio/webhooks.ts';
import { serveParent } from '../hired.ts';
import { usageMeter } from '../usage.ts';
import { acceptFrames } from './frames.ts';
import { type CallMeasures, type Carried, Measures } from './measures.ts';
import { FRAME_MS, Phone } from './phone.ts';
import { Session } from './realtime.ts';
import { StampedSpeech } from './stamps.ts';

export interface WorldDuties {
  /** The settings with which the product finds this world, by their names in the environment. */
  settings(order: null): { readonly env: Readonly<Record<string, string>>; readonly modelUrl: string };
  /** Streams straight to a relay, without a telephone account before them. */
  dial(order: { readonly url: string; readonly calls: number }): Promise<void>;
  /** Calls whose audio has reached the model, and streams that are up. */
  counts(order: null): { readonly talking: number; readonly streams: number; readonly sessions: number };
  begin(order: null): void;
  end(order: null): void;
  carried(order: null): Carried;
  usage: ReturnType<typeof usageMeter>;
  /** The callees of so many calls put the telephone down, the oldest first. */
  hangUp(order: { readonly calls: number }): void;
  /** Forgets every call, however it stands. */
  clear(order: null): void;
}

interface LiveCall {
  readonly sid: string;
  readonly number: number;
  readonly phone: Phone;
  readonly measures: CallMeasures;
  readonly settings: URLSearchParams;
  /** A session of the model has heard it. */
  talking: boolean;
  over: boolean;
}

const ACCOUNT_SID = `AC${'0b'.repeat(16)}`;
const AUTH_TOKEN = 'bench'.repeat(6);
const UP_BYTES = 160;
const DOWN_BYTES = 800;
const WEBHOOK_TIMEOUT_MS = 15_000;

export async function serveWorld(): Promise<void> {
  const world = new LoadWorld();
  const port = await world.listen();
  const address = `127.0.0.1:${port}`;
  const modelUrl = `ws://${address}/v1/realtime?model=gpt-realtime-2.1`;
  const env = {
    TWILIO_ACCOUNT_SID: ACCOUNT_SID,
    TWILIO_AUTH_TOKEN: AUTH_TOKEN,
    TWILIO_NUMBER: '+14155550100',
    TWILIO_API_BASE_URL: `http://${address}`,
    OPENAI_API_KEY: 'sk-bench-0000000000',
    OPENAI_WEBSOCKET_URL: `ws://${address}/v1/realtime`,
  };
  await serveParent<WorldDuties>({
    settings: () => ({ env, modelUrl }),
    dial: ({ url, calls }) => world.dial(url, calls),
    counts: () => world.counts(),
    begin: () => world.measures.begin(world.callMeasures()),
    end: () => world.measures.end(world.callMeasures()),
    carried: () => world.measures.carried(world.callMeasures()),
    usage: usageMeter(),
    hangUp: ({ calls }) => world.hangUp(calls),
    clear: () => world.clear(),
  });
  world.close();
}

class LoadWorld {
  readonly measures = new Measures();
  readonly #calls = new Map<string, LiveCall>();
  readonly #byNumber = new Map<number, LiveCall>();
  readonly #slots: readonly Set<LiveCall>[] = Array.from({ length: FRAME_MS }, () => new Set<LiveCall>());
  readonly #sessions = new Set<Session>();
  readonly #up = new StampedSpeech(UP_BYTES);
  readonly #down = new StampedSpeech(DOWN_BYTES);
  readonly #closing = new AbortController();
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  #made = 0;
  #sessionsMade = 0;
  #slot = Math.floor(performance.now());
  #timer: NodeJS.Timeout | undefined;

  async listen(): Promise<number> {
    this.#server.on('upgrade', (request, socket, head: Buffer) => {
      this.#sessionsMade += 1;
      const session: Session = new Session(this.#sessionsMade, acceptFrames(request, socket), head, {
        speech: this.#down,
        talkOf: (call) => this.#talkOf(call),
        onClosed: () => this.#sessions.delete(session),
        complain: (what) => this.measures.complain(what),
      });
      this.#sessions.add(session);
    });
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.#tick();
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#closing.abort();
    this.clear();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** Time goes on by whole milliseconds, none left out: after a stall the frames that were due follow at once, in order. */
  #tick(): void {
    const nowMs = performance.now();
    for (const slot = Math.floor(nowMs); this.#slot < slot; ) {
      this.#slot += 1;
      for (const call of this.#slots[this.#slot % FRAME_MS] ?? []) call.phone.tick(nowMs);
    }
    for (const session of this.#sessions) if (session.dueMs <= nowMs) session.run(nowMs);
    this.#timer = setTimeout(() => this.#tick(), 1);
  }

  callMeasures(): readonly CallMeasures[] {
    return [...this.#calls.values()].filter((call) => !call.over).map((call) => call.measures);
  }

  counts() {
    const live = [...this.#calls.values()].filter((call) => !call.over);
    return {
      talking: live.filter((call) => call.talking && call.phone.started).length,
      streams: live.filter((call) => call.phone.started).length,
      sessions: this.#sessions.size,
    };
  }

  async dial(url: string, calls: number): Promise<void> {
    for (let count = 0; count < calls; count += 1) {
      await this.#newCall(new URLSearchParams()).phone.connect(url, null, {});
    }
  }

  hangUp(calls: number): void {
    const live = [...this.#calls.values()].filter((call) => call.talking && !call.over);
    for (const call of live.slice(0, calls)) this.#finish(call);
  }

  clear(): void {
    for (const call of this.#calls.values()) {
      call.over = true;
      call.phone.destroy();
    }
    for (const session of [...this.#sessions]) session.destroy();
    for (const slot of this.#slots) slot.clear();
    this.#calls.clear();
    this.#byNumber.clear();
    this.measures.forget();
  }

  #newCall(settings: URLSearchParams): LiveCall {
    const number = this.#made;
    this.#made += 1;
    const sid = `CA${String(number).padStart(32, '0')}`;
    const measures = this.measures.newCall();
    const call: LiveCall = {
      sid,
      number,
      measures,
      settings,
      talking: false,
      over: false,
      phone: new Phone(number, sid, {
        speech: this.#up,
        accountSid: ACCOUNT_SID,
        up: measures.up,
        down: measures.down,
        onClear: (atMs) => this.measures.cleared(measures, atMs),
        onClosed: () => this.#forget(call),
        complain: (what) => this.measures.complain(what),
      }),
    };
    this.#calls.set(sid, call);
    this.#byNumber.set(number, call);
    this.#slots[number % FRAME_MS]?.add(call);
    return call;
  }

  #talkOf(number: number) {
    const call = this.#byNumber.get(number);
    if (call === undefined) return null;
    call.talking = true;
    const { measures } = call;
    return {
      up: measures.up,
      down: measures.down,
      onInterrupted: (atMs: number) => this.measures.interrupted(measures, atMs),
    };
  }

  /** Twilio's REST API, as much of it as a call needs (Twilio docs, "Call resource"). */
  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const form = new URLSearchParams(Buffer.concat(parts).toString('utf8'));
    const sid = /\/Calls\/(CA[0-9a-f]{32})\.json$/.exec(request.url ?? '')?.[1];
    const known = sid === undefined ? undefined : this.#calls.get(sid);
    const call = sid === undefined && request.method === 'POST' ? this.#newCall(form) : known;
    const respond = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    if (call === undefined) return respond(404, { code: 20404, message: 'The resource was not found', status: 404 });
    const isNew = known === undefined;
    respond(isNew ? 201 : 200, { sid: call.sid, account_sid: ACCOUNT_SID, status: isNew ? 'queued' : 'in-progress' });
    if (isNew) await this.#ring(call).catch((error: unknown) => this.measures.complain(String(error)));
    else if (form.get('Status') === 'completed') this.#finish(call);
  }

  async #ring(call: LiveCall): Promise<void> {
    await this.#tellStatus(call, 'ringing');
    const reply = await this.#post(call, call.settings.get('Url') ?? '', 'in-progress');
    const url = /<Stream url="([^"]+)"/.exec(reply)?.[1] ?? '';
    const token = /<Parameter name="token" value="([^"]+)"/.exec(reply)?.[1] ?? '';
    await call.phone.connect(url, sign(AUTH_TOKEN, url), { token });
    await this.#tellStatus(call, 'in-progress');
  }

  #finish(call: LiveCall): void {
    if (call.over) return;
    call.over = true;
    call.phone.stop();
    this.#tellStatus(call, 'completed').catch((error: unknown) => this.measures.complain(String(error)));
  }

  /** Its stream is gone; a call of an account is told to be over, as nothing else would keep it up. */
  #forget(call: LiveCall): void {
    this.#slots[call.number % FRAME_MS]?.delete(call);
    this.#byNumber.delete(call.number);
    if (!call.over && call.settings.has('Url')) this.#finish(call);
    call.over = true;
  }

  async #tellStatus(call: LiveCall, status: string): Promise<void> {
    const url = call.settings.get('StatusCallback');
    if (url !== null) await this.#post(call, url, status);
  }

  async #post(call: LiveCall, url: string, status: string): Promise<string> {
    const fields = {
      AccountSid: ACCOUNT_SID,
      CallSid: call.sid,
      CallStatus: status,
      To: call.settings.get('To') ?? '',
      From: call.settings.get('From') ?? '',
      Direction: 'outbound-api',
      ApiVersion: '2010-04-01',
      SequenceNumber: status === 'ringing' ? '1' : status === 'in-progress' ? '2' : '3',
    };
    const { signal } = this.#closing;
    const how = { method: 'POST', signingToken: AUTH_TOKEN, timeoutMs: WEBHOOK_TIMEOUT_MS } as const;
    const reply = await sendWebhook({ url, fields, signal, ...how });
    if (reply.status !== 200) this.measures.complain(`webhook ${status} was answered with ${reply.status}`);
    return reply.body;
  }
}
