import type { CarrierEvent, LineStatus } from '../../call/events.ts';
import type { Audio } from '../../media/audio.ts';
import type { Line, LineOptions, Redirection } from '../carrier.ts';
import { InboundAudio } from '../inbound-audio.ts';
import type { DownlinkClock } from './downlink.ts';
import type { Exchange, ExchangeNews } from './exchange.ts';
import type { MediaLeg } from './leg.ts';

export interface LineSetUp {
  readonly options: LineOptions;
  readonly exchange: Exchange;
  readonly clock: DownlinkClock;
  readonly forget: (line: AsteriskLine) => void;
  readonly way: Placing | Taking;
}

/** A call that we place. */
export interface Placing {
  /** The id that its channel will have, which is ours to choose. */
  readonly uniqueIdFor: (to: string) => string;
  /** What its audio has to show: one for the WebSocket, one in the form that AudioSocket demands. */
  readonly ref: string;
  readonly uuid: string;
}

/** A call that comes in: its channel and its audio are there. */
export interface Taking {
  readonly uniqueId: string;
  readonly leg: MediaLeg;
}

const TERMINAL: ReadonlySet<LineStatus> = new Set(['completed', 'busy', 'no-answer', 'failed', 'canceled']);

/** One telephone call over Asterisk. Its stream comes once; when it is lost, Asterisk has ended the call or gone on in its dial plan. */
export class AsteriskLine implements Line {
  readonly #setUp: LineSetUp;
  #uniqueId = '';
  #isDialled = false;
  #isBound = false;
  #isReserved = false;
  #isReleased = false;
  #isLive = false;
  #isTransferred = false;
  #isOver = false;
  /** A call that comes in rings until the agent speaks: while it does, the dial plan can still ring somebody else. */
  #isRinging = false;
  #hasStarted = false;
  #hangUpWanted = false;
  #isEnding = false;
  #leg: MediaLeg | null = null;
  #inbound: InboundAudio | null = null;
  #pressing: Promise<unknown> = Promise.resolve();

  constructor(setUp: LineSetUp) {
    this.#setUp = setUp;
    if ('leg' in setUp.way) this.#uniqueId = setUp.way.uniqueId;
  }

  /** Empty until it is dialled. */
  get uniqueId(): string {
    return this.#uniqueId;
  }

  /** What may be shown for its audio; nothing once it is released. */
  get references(): readonly string[] {
    const { way } = this.#setUp;
    return 'ref' in way && !this.#isReleased ? [way.ref, way.uuid] : [];
  }

  dial(request: { readonly to: string; readonly ringMs: number; readonly maxMs: number }): void {
    if (this.#isDialled || this.#isReleased) return;
    this.#isDialled = true;
    const { exchange, way } = this.#setUp;
    if ('leg' in way) return this.#answer(way.leg);
    this.#uniqueId = way.uniqueIdFor(request.to);
    const { to, ringMs } = request;
    const { ref, uuid } = way;
    const asked = { to, uniqueId: this.#uniqueId, ref, uuid, ringMs, maxMs: ringMs + request.maxMs };
    void exchange.originate(asked, (news) => this.#take(news));
  }

  play(audio: Audio): void {
    if (!this.#isLive) return;
    if (this.#isRinging) this.#pickUp();
    this.#leg?.play(audio.bytes());
  }

  mark(generation: number, markId: number): void {
    if (this.#isLive) this.#leg?.mark(generation, markId);
  }

  clear(): void {
    if (this.#isLive) this.#leg?.clear();
  }

  redirect(redirection: Redirection): void {
    if (redirection.plan === 'transfer') void this.#transfer(redirection.to);
    else if (redirection.plan === 'say') void this.#apologise();
  }

  /** One after the other: keys of two sends at once would be heard mixed. */
  sendDigits(digits: string): void {
    this.#pressing = this.#pressing
      .then(() => this.#setUp.exchange.sendDigits(this.#uniqueId, digits))
      .then((outcome) => this.#emit({ type: 'carrier.digitsSent', ok: outcome === 'done' }));
  }

  inquire(): void {
    void this.#look();
  }

  hangUp(): void {
    this.#hangUpWanted = true;
    if (this.#isBound) void this.#endCall();
    else if (!this.#isDialled) queueMicrotask(() => this.#emit({ type: 'carrier.hungUp', outcome: 'gone' }));
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    if (this.#isDialled) this.#setUp.exchange.forget(this.#uniqueId);
    this.#inbound?.close();
    this.#leg?.close();
    this.#setUp.forget(this);
  }

  /** True for the first who comes with its reference. */
  reserve(): boolean {
    if (this.#isReserved || this.#isReleased) return false;
    this.#isReserved = true;
    return true;
  }

  attach(leg: MediaLeg): void {
    if (this.#isReleased) return leg.close();
    this.#leg = leg;
    leg.listen({
      started: () => this.#startStream(),
      heard: (bytes) => this.#inbound?.take(bytes),
      marked: (generation, markId) => this.#emit({ type: 'carrier.markEchoed', epoch: 1, generation, markId }),
      pressed: (digit) => this.#emit({ type: 'carrier.digitPressed', digit }),
      ended: (how) => this.#legEnded(leg, how),
    });
  }

  #answer(leg: MediaLeg): void {
    this.#setUp.exchange.follow(this.#uniqueId, (news) => this.#take(news));
    this.#isRinging = true;
    this.attach(leg);
  }

  #pickUp(): void {
    this.#isRinging = false;
    this.#leg?.answer();
    this.#take({ kind: 'status', status: 'answered' });
  }

  /** Nobody was picked up: the dial plan goes on, and may ring somebody else. */
  async #decline(): Promise<'done'> {
    this.#leg?.hangUp();
    return 'done';
  }

  #legEnded(leg: MediaLeg, how: 'stopped' | 'dropped'): void {
    if (this.#hasStarted) return this.#endStream(how);
    // It was refused or gave up before it began; Asterisk may try once more.
    if (this.#leg === leg) this.#leg = null;
    this.#isReserved = false;
  }

  #startStream(): void {
    if (this.#isLive || this.#isReleased) return;
    this.#isLive = true;
    this.#hasStarted = true;
    const { clock, options } = this.#setUp;
    this.#inbound = new InboundAudio(clock, options.hear);
    // Who hears audio has answered; news of that may be slower, or lost with the manager.
    this.#take({ kind: 'status', status: this.#isRinging ? 'ringing' : 'answered' });
    this.#emit({ type: 'carrier.streamStarted', epoch: 1 });
  }

  #endStream(how: 'stopped' | 'dropped'): void {
    if (!this.#isLive) return;
    this.#isLive = false;
    this.#inbound?.close();
    this.#inbound = null;
    this.#emit({ type: 'carrier.streamEnded', epoch: 1, how });
  }

  #take(news: ExchangeNews): void {
    switch (news.kind) {
      case 'accepted':
        if (this.#isBound) return;
        this.#isBound = true;
        this.#emit({ type: 'carrier.bound', carrierCallId: this.#uniqueId });
        if (this.#hangUpWanted) void this.#endCall();
        return;
      case 'refused':
        return this.#emit({ type: 'carrier.refused', code: news.code, reason: news.reason });
      case 'uncertain':
        return this.#emit({ type: 'carrier.uncertain', reason: news.reason });
      case 'status': {
        // The telephone goes on with somebody else: that is no end of ours.
        if (this.#isOver || this.#isTransferred) return;
        // What has become something was taken on, whether that was told or not.
        this.#take({ kind: 'accepted' });
        this.#isOver = TERMINAL.has(news.status);
        // Whoever ends ends the stream first, as its socket may be closed a moment later.
        if (this.#isOver) this.#endStream('stopped');
        const code = news.code === undefined ? {} : { code: news.code };
        return this.#emit({ type: 'carrier.progressed', status: news.status, source: 'webhook', ...code });
      }
      default:
        news satisfies never;
    }
  }

  async #endCall(): Promise<void> {
    // The answer to the first is the answer to all who ask meanwhile.
    if (this.#isEnding) return;
    this.#isEnding = true;
    let outcome = await (this.#isRinging ? this.#decline() : this.#setUp.exchange.hangUp(this.#uniqueId));
    if (outcome === 'failed' && this.#isLive) {
      // Without its manager there is still the audio's way: the leg ends, and the dial plan hangs up behind it.
      this.#leg?.hangUp();
      outcome = 'done';
    }
    this.#isEnding = false;
    this.#emit({ type: 'carrier.hungUp', outcome });
  }

  async #transfer(extension: string): Promise<void> {
    this.#isTransferred = true;
    const outcome = await this.#setUp.exchange.transfer(this.#uniqueId, extension);
    if (outcome === 'failed') this.#isTransferred = false;
    this.#emit({ type: 'carrier.redirected', outcome });
  }

  /** In the telephone system's own words. */
  async #apologise(): Promise<void> {
    // Without its audio's leg the dial plan has gone on, and most likely hung up.
    const outcome = this.#isLive && !this.#isRinging ? await this.#setUp.exchange.apologise(this.#uniqueId) : 'failed';
    this.#emit({ type: 'carrier.redirected', outcome });
  }

  async #look(): Promise<void> {
    const isUp = await this.#setUp.exchange.isUp(this.#uniqueId);
    if (isUp === null) return;
    if (isUp) {
      this.#take({ kind: 'accepted' });
      this.#emit({ type: 'carrier.progressed', status: this.#isLive ? 'answered' : 'ringing', source: 'inquiry' });
    } else if (this.#isBound) this.#emit({ type: 'carrier.progressed', status: 'completed', source: 'inquiry' });
    else this.#emit({ type: 'carrier.notFound' });
  }

  #emit(event: CarrierEvent): void {
    if (!this.#isReleased) this.#setUp.options.emit(event);
  }
}
