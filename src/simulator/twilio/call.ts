import type { Callee, CalleeTurn } from '../callee/callee.ts';
import { Ear } from '../callee/ear.ts';
import { CallWebhooks, signingToken, type WebhookRecord } from './call-webhooks.ts';
import type { CallSettings, CallWorld } from './call-world.ts';
import type { Notice } from './errors.ts';
import { type ProgramHost, pause, runProgram } from './program.ts';
import { SimulatedRecording } from './recording.ts';
import { type FormFields, sign } from './signature.ts';
import { SimulatedStream, type StreamEnd, type StreamHost } from './stream.ts';
import { parseTwiml, type StreamNoun, TwimlError, type Verb } from './twiml.ts';

export type CallStatus =
  | 'queued'
  | 'ringing'
  | 'in-progress'
  | 'completed'
  | 'busy'
  | 'failed'
  | 'no-answer'
  | 'canceled';

export type TwimlSource = { readonly twiml: string } | { readonly url: string; readonly method: 'GET' | 'POST' };

const TERMINAL: readonly CallStatus[] = ['completed', 'busy', 'failed', 'no-answer', 'canceled'];
/** Their sound is kept nowhere. */
const RECORDINGS_URL = 'https://api.twilio.example.com';
const APPLICATION_ERROR = 'We are sorry. An application error has occurred. Goodbye.';

/** A sentence that Twilio spoke by itself; times count from the call's creation. */
export interface SaidSentence {
  readonly text: string;
  readonly language: string | null;
  readonly voice: string | null;
  readonly atMs: number;
  readonly durationMs: number;
  readonly source: 'twiml' | 'trial-notice' | 'application-error';
}

/** The life of one outbound call, from the create to a terminal status, as Twilio and the person live it. */
export class SimulatedCall {
  readonly sid: string;
  readonly to: string;
  readonly from: string;
  /** What the create asked for, as it came. */
  readonly params: FormFields;
  readonly settings: CallSettings;
  readonly createdAt = new Date();
  status: CallStatus = 'queued';
  startedAt: Date | null = null;
  answeredAt: Date | null = null;
  endedAt: Date | null = null;
  /** Who ended it: the person, our server over REST, the TwiML, a limit, or Twilio (never answered). */
  endedBy: 'callee' | 'rest' | 'twiml' | 'limit' | 'carrier' | null = null;
  readonly said: SaidSentence[] = [];
  readonly errors: Notice[] = [];
  readonly warnings: Notice[] = [];
  readonly streams: SimulatedStream[] = [];
  /** At most the one that the create asked for. */
  readonly recordings: readonly SimulatedRecording[];
  callee: Callee | null = null;
  /** Hears what the person hears, when the account was given a phrasebook. */
  readonly ear: Ear | null;
  /** Resolves when the status is terminal and the last webhooks have been answered or given up. */
  readonly ended: Promise<void>;

  private readonly world: CallWorld;
  private readonly createdMs = performance.now();
  private readonly over = new AbortController();
  private replaced = new AbortController();
  private readonly hooks: CallWebhooks;
  private mediaFromMs: number | null = null;
  private limitTimer: NodeJS.Timeout | undefined;
  private settleEnded: () => void = () => {};

  constructor(sid: string, settings: CallSettings, params: FormFields, world: CallWorld) {
    this.sid = sid;
    this.to = settings.to;
    this.from = settings.from;
    this.settings = settings;
    this.params = params;
    this.world = world;
    this.ear = world.phrases === null ? null : new Ear(world.phrases);
    this.ended = new Promise((resolve) => {
      this.settleEnded = resolve;
    });
    this.hooks = new CallWebhooks(world, settings, (severity, code, message) => this.note(severity, code, message));
    const recorded = { callSid: sid, accountSid: world.accountSid, baseUrl: RECORDINGS_URL, hooks: this.hooks };
    this.recordings =
      settings.recording === null ? [] : [new SimulatedRecording(world.newSid('RE'), settings.recording, recorded)];
  }

  /** Every webhook sent for this call, with what came back. */
  get webhooks(): readonly WebhookRecord[] {
    return this.hooks.records;
  }

  /** Resolves when the first webhook has been answered. */
  get firstWebhook(): Promise<void> {
    return this.hooks.first;
  }

  get isOver(): boolean {
    return TERMINAL.includes(this.status);
  }

  /** The stream that is live now, if any. */
  get stream(): SimulatedStream | null {
    return this.streams.find((one) => one.end === null) ?? null;
  }

  /** Seconds between answer and end, as the resource counts them; null while the call lives. */
  get durationSeconds(): number | null {
    if (this.endedAt === null) return null;
    return this.answeredAt === null ? 0 : Math.round((this.endedAt.getTime() - this.answeredAt.getTime()) / 1_000);
  }

  /** Dials; to be called once. */
  begin(): void {
    void this.live();
  }

  /** The person puts the receiver down. */
  hangUp(): void {
    this.finish(this.answeredAt === null ? 'busy' : 'completed', 'callee');
  }

  /** The person presses a key. */
  pressDigit(digit: string): void {
    this.stream?.pressDigit(digit);
  }

  /** Breaks the live stream off. */
  dropStream(how: { readonly withStop: boolean }): void {
    if (how.withStop) this.stream?.stop();
    else this.stream?.drop();
  }

  /** Every status webhook that was sent so far, and the question for the document, is sent once more, as Twilio does when it is unsure. */
  repeatWebhooks(): void {
    for (const { kind, url, fields } of [...this.webhooks])
      if (kind === 'status' || kind === 'voice') void this.hooks.post(kind, url, 'POST', fields);
  }

  /** REST `Status=completed` and `Status=canceled`. */
  endByRest(status: 'completed' | 'canceled'): void {
    if (status === 'canceled' && this.answeredAt !== null) return;
    this.finish(this.answeredAt === null ? 'canceled' : status, 'rest');
  }

  /** REST `Twiml` and `Url`: a running stream is ended and the new document runs. The call must be in progress. */
  redirect(document: TwimlSource): void {
    this.replaced.abort();
    this.replaced = new AbortController();
    this.stream?.stop();
    void this.run(document);
  }

  setTimeLimit(durationMs: number): void {
    clearTimeout(this.limitTimer);
    this.limitTimer = setTimeout(() => this.finish('completed', 'limit'), durationMs);
  }

  /** Leaves nothing behind. */
  destroy(): void {
    clearTimeout(this.limitTimer);
    if (!this.isOver) this.status = 'canceled';
    this.replaced.abort();
    this.over.abort();
    for (const stream of this.streams) stream.destroy();
    this.hooks.giveUp();
    this.settleEnded();
  }

  private async live(): Promise<void> {
    const { knobs } = this.world;
    this.hooks.announce('initiated', this.callFields(), this.durationSeconds);
    await pause(knobs.dialMs, this.over.signal);
    if (this.isOver) return;
    this.status = 'ringing';
    this.startedAt = new Date();
    this.hooks.announce('ringing', this.callFields(), this.durationSeconds);
    const answer = this.world.answer(this.to);
    const ringMs = answer.kind === 'never' ? Number.POSITIVE_INFINITY : answer.ringMs;
    await pause(Math.min(ringMs, this.settings.timeoutMs), this.over.signal);
    if (this.isOver) return;
    if (ringMs > this.settings.timeoutMs) this.finish('no-answer', 'carrier');
    else if (answer.kind === 'busy') this.finish('busy', 'callee');
    else if (answer.kind === 'fails') this.finish('failed', 'carrier');
    else if (answer.kind === 'answers') await this.answered(answer.callee());
  }

  private async answered(callee: Callee): Promise<void> {
    const { knobs } = this.world;
    this.callee = callee;
    this.status = 'in-progress';
    this.answeredAt = new Date();
    this.setTimeLimit(this.settings.timeLimitMs);
    for (const recording of this.recordings) recording.begin();
    this.hooks.announce('answered', this.callFields(), this.durationSeconds);
    if (knobs.trialNoticeMs > 0) {
      this.speak('You have a trial account.', null, null, 'trial-notice', knobs.trialNoticeMs);
      await pause(knobs.trialNoticeMs, this.over.signal);
    }
    const { url, method, twiml } = this.settings;
    if (url !== null) await this.run({ url, method });
    else await this.run({ twiml: twiml ?? '' });
  }

  /** Runs a document to its end, after which Twilio hangs up unless other TwiML has taken its place. */
  private async run(source: TwimlSource): Promise<void> {
    const { replaced } = this;
    const signal = AbortSignal.any([replaced.signal, this.over.signal]);
    let base: string | undefined;
    const fetch = async (target: string, method: 'GET' | 'POST', kind: 'voice' | 'action') => {
      if (!URL.canParse(target, base)) return this.applicationError(11100, `Invalid URL: ${target}`, signal);
      // An absolute address is requested, and signed, as it was written.
      base = URL.canParse(target) ? target : new URL(target, base).href;
      return this.fetchTwiml(base, method, kind, signal);
    };
    const first =
      'url' in source ? await fetch(source.url, source.method, 'voice') : await this.parse(source.twiml, signal);
    const host: ProgramHost = {
      say: (text, language, voice) => this.speak(text, language, voice, 'twiml'),
      connect: (noun) => this.connectStream(noun),
      fetch,
    };
    if (first !== null) await runProgram(first, host, { replaced: replaced.signal, interrupted: signal });
    if (!replaced.signal.aborted) this.finish('completed', 'twiml');
  }

  private async fetchTwiml(
    url: string,
    method: 'GET' | 'POST',
    kind: 'voice' | 'action',
    signal: AbortSignal,
  ): Promise<readonly Verb[] | null> {
    const record = await this.hooks.post(kind, url, method, this.callFields());
    if (this.isOver || signal.aborted) return null;
    const { reply } = record;
    if (reply === null) return this.applicationError(11200, `HTTP retrieval failure: ${record.error}`, signal);
    if (reply.status < 200 || reply.status > 299) {
      return this.applicationError(11200, `HTTP retrieval failure: status ${reply.status}`, signal);
    }
    const type = reply.contentType.split(';')[0]?.trim().toLowerCase();
    if (type !== 'text/xml' && type !== 'application/xml' && type !== 'text/html') {
      return this.applicationError(12300, `Invalid Content-Type: ${reply.contentType}`, signal);
    }
    return this.parse(reply.body, signal);
  }

  private async parse(twiml: string, signal: AbortSignal): Promise<readonly Verb[] | null> {
    try {
      return parseTwiml(twiml);
    } catch (error) {
      if (!(error instanceof TwimlError)) throw error;
      return this.applicationError(error.code, error.message, signal);
    }
  }

  private async applicationError(code: number, message: string, signal: AbortSignal): Promise<null> {
    this.note('error', code, message);
    await pause(this.speak(APPLICATION_ERROR, 'en', null, 'application-error'), signal);
    return null;
  }

  private speak(
    text: string,
    language: string | null,
    voice: string | null,
    source: SaidSentence['source'],
    durationMs = text.length * this.world.knobs.sayMsPerCharacter,
  ): number {
    this.said.push({ text, language, voice, source, durationMs, atMs: this.ageMs() });
    return durationMs;
  }

  private connectStream(noun: StreamNoun): Promise<StreamEnd> {
    const { world } = this;
    const streamSid = world.newSid('MZ');
    const host: StreamHost = {
      id: { accountSid: world.accountSid, callSid: this.sid, streamSid },
      knobs: world.knobs,
      network: world.network,
      seed: world.seed + this.streams.length * 101,
      ca: world.ca,
      sign: (url) => {
        const token = signingToken(world);
        return token === null ? null : sign(token, url);
      },
      tick: (heard) => this.tick(heard),
      calleeHungUp: () => this.hangUp(),
      note: (severity, code, message) => this.note(severity, code, message),
    };
    const stream = new SimulatedStream(noun, host);
    this.streams.push(stream);
    this.reportStream(stream, noun);
    stream.open();
    return stream.ended;
  }

  private reportStream(stream: SimulatedStream, noun: StreamNoun): void {
    const { statusCallback, statusCallbackMethod } = noun;
    if (statusCallback === null) return;
    const report = (event: string, error?: string) =>
      this.hooks.post('stream-status', statusCallback, statusCallbackMethod, {
        AccountSid: this.world.accountSid,
        CallSid: this.sid,
        StreamSid: stream.streamSid,
        StreamName: noun.name ?? stream.streamSid,
        StreamEvent: event,
        Timestamp: new Date().toISOString(),
        ...(error === undefined ? {} : { StreamError: error }),
      });
    void stream.started.then(() => (stream.end === 'failed' ? undefined : report('stream-started')));
    void stream.ended.then((end) => {
      if (end === 'failed') return report('stream-error', this.errors.at(-1)?.message ?? '');
      return report('stream-stopped');
    });
  }

  private tick(heard: Uint8Array | null): CalleeTurn {
    this.ear?.hear(heard);
    this.mediaFromMs ??= performance.now();
    return this.callee?.tick(heard, Math.round(performance.now() - this.mediaFromMs)) ?? { spoken: null };
  }

  private finish(status: CallStatus, by: NonNullable<SimulatedCall['endedBy']>): void {
    if (this.isOver) return;
    this.status = status;
    this.endedBy = by;
    this.endedAt = new Date();
    clearTimeout(this.limitTimer);
    this.over.abort();
    this.stream?.stop();
    this.hooks.announce('completed', this.callFields(), this.durationSeconds);
    for (const recording of this.recordings) recording.finish();
    void this.settle();
  }

  private async settle(): Promise<void> {
    // The end of a stream causes an action, which is sent a few turns of the event loop later.
    await new Promise((resolve) => setImmediate(resolve));
    await this.hooks.idle();
    this.settleEnded();
  }

  private callFields(): Record<string, string> {
    return {
      CallSid: this.sid,
      AccountSid: this.world.accountSid,
      From: this.from,
      To: this.to,
      CallStatus: this.status,
      ApiVersion: '2010-04-01',
      Direction: 'outbound-api',
      Caller: this.from,
      Called: this.to,
      FromCountry: 'US',
      ToCountry: 'US',
    };
  }

  private note(severity: 'error' | 'warning', code: number, message: string): void {
    (severity === 'error' ? this.errors : this.warnings).push({ code, message, atMs: this.ageMs() });
  }

  private ageMs(): number {
    return Math.round(performance.now() - this.createdMs);
  }
}
