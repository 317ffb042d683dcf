import type { CarrierEvent, LineStatus } from '../../call/events.ts';
import type { CallId } from '../../call/words.ts';
import type { Audio } from '../../media/audio.ts';
import type { Line, LineOptions, MediaSocket, Redirection } from '../carrier.ts';
import { Attachment, type Clock } from './attachment.ts';
import { hangUpLate } from './late-hang-up.ts';
import type { CallState, CreateRequest, Rest } from './rest.ts';
import { type Identify, searchDialled } from './search.ts';
import type { StreamStart } from './stream.ts';
import { digestOf, isToken, type TokenDigest } from './tokens.ts';
import { emptyTwiml, hangUpTwiml, sayTwiml, streamTwiml } from './twiml.ts';

export interface TwilioLog {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** One permission to attach a stream. Good for a single upgrade, which has to lead to a matching `start`. */
export interface Ticket {
  readonly line: TwilioLine;
  readonly epoch: number;
  state: 'unspent' | 'reserved' | 'spent';
}

/** What a webhook's token stands for: the call, or the question how to go on after the stream of one epoch. */
export interface WebhookPass {
  readonly line: TwilioLine;
  readonly afterEpoch: number | null;
}

/** What a line needs of its carrier. */
export interface LineContext {
  readonly rest: Rest;
  readonly clock: Clock;
  readonly log: TwilioLog;
  readonly accountSid: string;
  /** E.164, the caller's. */
  readonly number: string;
  readonly startDeadlineMs: number;
  readonly mediaTimeoutMs: number;
  mintWebhook(pass: WebhookPass): string;
  mintStream(ticket: Ticket): string;
  forget(tokens: readonly string[]): void;
  /** False when the call belongs to another line. */
  claim(callSid: string, line: TwilioLine): boolean;
  isClaimed(callSid: string): boolean;
  readonly identify: Identify;
  /** The line wants no more; its carrier forgets it, at the latest some time after. */
  released(line: TwilioLine): void;
  /** Of a released line: Twilio will ask no more how to go on, but the last status may still come. */
  over(line: TwilioLine): void;
  urls: {
    outgoing(token: string): string;
    status(token: string): string;
    after(token: string): string;
    stream(token: string): string;
    /** Null when the account records nothing. */
    recording(callId: string): string | null;
  };
}

type Plan = { readonly plan: 'none' } | Redirection;

/** A call has about five; Twilio repeats the latest ones. */
const MAX_SEEN_STATUSES = 50;

const NO_PLAN: Plan = { plan: 'none' };
/** After one of these nothing comes any more. */
export const TERMINAL: ReadonlySet<LineStatus> = new Set(['completed', 'busy', 'no-answer', 'failed', 'canceled']);

/** One telephone call over Twilio. Its webhooks have been authenticated before they come here. */
export class TwilioLine implements Line {
  readonly callId: CallId;
  callSid: string | null = null;
  private readonly context: LineContext;
  private readonly options: LineOptions;
  private readonly tokens: string[] = [];
  private dialled: { readonly to: string; readonly sinceMs: number } | null = null;
  private isRefused = false;
  private isReleased = false;
  private isOver = false;
  private hangUpWanted = false;
  private isHangingUp = false;
  private isSaying = false;
  private plan: Plan = NO_PLAN;
  /** Of the streams that came up. */
  private latestEpoch = 0;
  private attachment: { readonly epoch: number; readonly stream: Attachment } | null = null;
  private opening: string | null = null;
  private readonly afterReplies = new Map<number, string>();
  private readonly seenStatuses = new Set<string>();
  private isInquiring = false;
  private stopLateHangUp: () => void = () => undefined;

  constructor(context: LineContext, options: LineOptions) {
    this.context = context;
    this.options = options;
    this.callId = options.callId;
  }

  /** True while Twilio may still ask about this call. */
  get mayBeAsked(): boolean {
    return this.dialled !== null && !this.isRefused && !this.isOver;
  }

  dial(request: { readonly to: string; readonly ringMs: number; readonly maxMs: number }): void {
    if (this.dialled !== null || this.isReleased) return;
    if (this.hangUpWanted) {
      this.isRefused = true;
      this.emitSoon({ type: 'carrier.refused', code: 'ended', reason: 'The call was ended before it was placed.' });
      return;
    }
    this.dialled = { to: request.to, sinceMs: Date.now() };
    const token = this.keep(this.context.mintWebhook({ line: this, afterEpoch: null }));
    void this.create({
      to: request.to,
      from: this.context.number,
      url: this.context.urls.outgoing(token),
      statusCallbackUrl: this.context.urls.status(token),
      recordingCallbackUrl: this.options.record === true ? this.context.urls.recording(this.callId) : null,
      ringMs: request.ringMs,
      maxMs: request.maxMs,
    });
  }

  play(audio: Audio): void {
    this.attachment?.stream.play(audio);
  }

  mark(generation: number, markId: number): void {
    this.attachment?.stream.mark(generation, markId);
  }

  /** The generation travels in the marks; Twilio's `clear` has none. */
  clear(_generation: number): void {
    this.attachment?.stream.clear();
  }

  redirect(plan: Redirection): void {
    if (this.isReleased) return;
    this.plan = plan;
    if (this.plan.plan === 'say' && this.attachment?.stream.live) void this.sayNow(this.plan);
  }

  inquire(): void {
    if (!this.isReleased && !this.isInquiring) void this.lookUp();
  }

  hangUp(): void {
    if (this.isReleased) return;
    this.hangUpWanted = true;
    if (this.callSid !== null && !this.isOver) void this.endCall(this.callSid);
    else if (!this.mayBeAsked) this.emitSoon({ type: 'carrier.hungUp', outcome: 'gone' });
  }

  release(): void {
    if (this.isReleased) return;
    this.isReleased = true;
    this.attachment?.stream.close();
    this.attachment = null;
    this.context.released(this);
  }

  /** Called by the carrier, at once or once a late answer can no longer come. */
  forgetTokens(): void {
    this.stopLateHangUp();
    this.context.forget(this.tokens);
    this.tokens.length = 0;
  }

  /** Is the call that a webhook speaks of this one? Learns it when it is not known yet. */
  bind(callSid: string): boolean {
    if (this.callSid !== null) return this.callSid === callSid;
    if (!this.context.claim(callSid, this)) return false;
    this.callSid = callSid;
    if (this.isReleased) {
      // Nobody is left to talk to the callee.
      this.stopLateHangUp = hangUpLate(this.context, { callId: this.callId, callSid });
      return true;
    }
    this.emit({ type: 'carrier.bound', carrierCallId: callSid });
    if (this.hangUpWanted) void this.endCall(callSid);
    return true;
  }

  /** The call was answered and asks for its document. Asked twice, it gets the same one. */
  answerOutgoing(status: LineStatus | null): string {
    if (this.isReleased || this.hangUpWanted) return hangUpTwiml();
    if (this.opening !== null) return this.opening;
    if (status !== null) this.progress(status, 'webhook');
    this.opening = this.plan.plan === 'say' ? this.sayAsPlanned(this.plan) : this.streamDocument(1);
    return this.opening;
  }

  hearStatus(status: LineStatus, key: string, code: string | undefined): void {
    if (this.seenStatuses.has(key)) return;
    this.seenStatuses.add(key);
    if (this.seenStatuses.size > MAX_SEEN_STATUSES) this.seenStatuses.delete([...this.seenStatuses][0] ?? '');
    this.progress(status, 'webhook', code);
  }

  /** The stream of `epoch` is over and Twilio asks how to go on. */
  answerAfter(epoch: number, status: LineStatus | null): string {
    if (this.isReleased) {
      if (status !== null) this.progress(status, 'webhook');
      return hangUpTwiml();
    }
    const given = this.afterReplies.get(epoch);
    if (given !== undefined) return given;
    const reply = this.decideAfter(epoch, status);
    this.afterReplies.set(epoch, reply);
    return reply;
  }

  /** At the upgrade. */
  reserve(ticket: Ticket): boolean {
    if (this.isReleased || ticket.state !== 'unspent') return false;
    ticket.state = 'reserved';
    return true;
  }

  /** The socket that an upgrade with `ticket` has led to. `token` is the one of its URL; `started` is called at its `start`. */
  attach(ticket: Ticket, token: string, socket: MediaSocket, started: () => void): void {
    const digest = digestOf(token);
    const stream: Attachment = new Attachment({
      socket,
      clock: this.context.clock,
      startDeadlineMs: this.context.startDeadlineMs,
      mediaTimeoutMs: this.context.mediaTimeoutMs,
      admit: (start) => this.admit(ticket, digest, start),
      onStarted: () => {
        started();
        this.streamStarted(ticket.epoch, stream);
      },
      onMedia: this.options.hear,
      onMark: (generation, markId) =>
        this.emit({ type: 'carrier.markEchoed', epoch: ticket.epoch, generation, markId }),
      onDigit: (digit) => this.emit({ type: 'carrier.digitPressed', digit }),
      onEnded: (how, malformed) => this.streamEnded(ticket.epoch, how, malformed),
      onRefused: (why) => {
        ticket.state = 'spent';
        this.context.log.warn({ callId: this.callId, epoch: ticket.epoch, why }, 'A media stream was closed');
      },
    });
  }

  private keep(token: string): string {
    this.tokens.push(token);
    return token;
  }

  private async create(request: CreateRequest): Promise<void> {
    const created = await this.context.rest.create(request);
    switch (created.kind) {
      case 'created':
        if (!this.bind(created.callSid)) {
          this.context.log.error(
            { callId: this.callId, callSid: created.callSid, bound: this.callSid },
            'A webhook had bound another call',
          );
        }
        break;
      case 'refused':
        this.isRefused = true;
        if (this.callSid === null) this.emit({ type: 'carrier.refused', code: created.code, reason: created.reason });
        break;
      case 'uncertain':
        if (this.callSid === null) this.emit({ type: 'carrier.uncertain', reason: created.reason });
        break;
    }
  }

  /** Once: who asks decides whether to ask again. */
  private async lookUp(): Promise<void> {
    this.isInquiring = true;
    const found = await this.find();
    this.isInquiring = false;
    if (found === 'failed')
      this.context.log.warn({ callId: this.callId }, 'Twilio did not say what became of the call');
    else if (found === 'unsure')
      this.context.log.warn(
        { callId: this.callId },
        'More calls to this number than this one may be meant; none is touched',
      );
    else if (found === 'gone') this.emit({ type: 'carrier.notFound' });
    else if (this.bind(found.callSid)) this.progress(found.status, 'inquiry');
  }

  private async find(): Promise<CallState | 'gone' | 'failed' | 'unsure'> {
    if (this.callSid !== null) return this.context.rest.look(this.callSid);
    if (this.dialled === null) return 'gone';
    const found = await searchDialled(this.context, { ...this.dialled, callId: this.callId });
    // A webhook may have bound the call while the list was on its way.
    return this.callSid === null ? found : this.context.rest.look(this.callSid);
  }

  private async endCall(callSid: string): Promise<void> {
    if (this.isHangingUp) return;
    this.isHangingUp = true;
    const outcome = await this.context.rest.hangUp(callSid);
    this.isHangingUp = false;
    if (outcome === 'failed') this.context.log.warn({ callId: this.callId, callSid }, 'Twilio did not end the call');
    this.emit({ type: 'carrier.hungUp', outcome });
  }

  /** The document of a live call is replaced; its stream ends by that. */
  private async sayNow(plan: Plan & { plan: 'say' }): Promise<void> {
    if (this.isSaying || this.callSid === null) return;
    this.isSaying = true;
    const outcome = await this.context.rest.replace(this.callSid, sayTwiml(plan.language, plan.text));
    this.isSaying = false;
    // Until here a question how to go on would have been answered with the same sentence; it must not be said twice.
    if (this.plan !== plan) return;
    this.plan = NO_PLAN;
    this.emit({ type: 'carrier.redirected', outcome: outcome === 'done' ? 'done' : 'failed' });
  }

  private sayAsPlanned(plan: Plan & { plan: 'say' }): string {
    this.plan = NO_PLAN;
    this.emitSoon({ type: 'carrier.redirected', outcome: 'done' });
    return sayTwiml(plan.language, plan.text);
  }

  private streamDocument(epoch: number): string {
    const token = this.keep(this.context.mintStream({ line: this, epoch, state: 'unspent' }));
    const afterToken = this.keep(this.context.mintWebhook({ line: this, afterEpoch: epoch }));
    return streamTwiml({
      streamUrl: this.context.urls.stream(token),
      afterUrl: this.context.urls.after(afterToken),
      token,
    });
  }

  private decideAfter(epoch: number, status: LineStatus | null): string {
    if (this.attachment?.epoch === epoch) {
      this.attachment.stream.close();
      this.streamEnded(epoch, 'stopped', 0);
    }
    if (status !== null && TERMINAL.has(status)) {
      this.progress(status, 'webhook');
      return emptyTwiml();
    }
    if (epoch > this.latestEpoch) this.emit({ type: 'carrier.streamFailed', epoch });
    const plan = this.plan;
    if (plan.plan === 'say') return this.sayAsPlanned(plan);
    this.plan = NO_PLAN;
    return plan.plan === 'reattach' && !this.hangUpWanted ? this.streamDocument(epoch + 1) : hangUpTwiml();
  }

  private admit(ticket: Ticket, digest: TokenDigest, start: StreamStart): boolean {
    if (this.isReleased || ticket.state !== 'reserved') return false;
    ticket.state = 'spent';
    const isOurs = start.accountSid === this.context.accountSid && start.callSid === this.callSid;
    return isOurs && isToken(digest, start.token) && start.isMulaw8k;
  }

  private streamStarted(epoch: number, stream: Attachment): void {
    const before = this.attachment;
    if (before !== null) {
      before.stream.close();
      this.streamEnded(before.epoch, 'dropped', 0);
    }
    this.attachment = { epoch, stream };
    this.latestEpoch = epoch;
    this.emit({ type: 'carrier.streamStarted', epoch });
    if (this.plan.plan === 'say') void this.sayNow(this.plan);
  }

  private streamEnded(epoch: number, how: 'stopped' | 'dropped', malformed: number): void {
    if (this.attachment?.epoch !== epoch) return;
    this.attachment = null;
    if (malformed > 0)
      this.context.log.warn({ callId: this.callId, epoch, malformed }, 'Malformed frames were ignored');
    this.emit({ type: 'carrier.streamEnded', epoch, how });
  }

  private progress(status: LineStatus, source: 'webhook' | 'inquiry', code?: string): void {
    if (TERMINAL.has(status)) {
      this.isOver = true;
      if (this.isReleased) this.context.over(this);
    }
    this.emit({ type: 'carrier.progressed', status, source, ...(code === undefined ? {} : { code }) });
  }

  private emit(event: CarrierEvent): void {
    if (this.isReleased) return;
    try {
      this.options.emit(event);
    } catch (err) {
      this.context.log.error({ err, callId: this.callId, event: event.type }, 'An event of a line was not taken');
    }
  }

  /** For answers that are known while the question is still being asked. */
  private emitSoon(event: CarrierEvent): void {
    queueMicrotask(() => this.emit(event));
  }
}
