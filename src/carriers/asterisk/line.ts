import type { CarrierEvent, LineStatus } from '../../call/events.ts';
import type { Audio } from '../../media/audio.ts';
import type { Line, LineOptions, MediaSocket, Redirection } from '../carrier.ts';
import { Downlink, type DownlinkClock } from './downlink.ts';
import type { Exchange, ExchangeNews } from './exchange.ts';
import { InboundAudio } from './inbound-audio.ts';
import { ANSWER, HANG_UP, readMediaEvent } from './stream.ts';

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
  /** What its media socket has to show. */
  readonly ref: string;
}

/** A call that comes in: its channel and its media socket are there. */
export interface Taking {
  readonly uniqueId: string;
  readonly socket: MediaSocket;
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
  #hangUpWanted = false;
  #isEnding = false;
  #socket: MediaSocket | null = null;
  #downlink: Downlink | null = null;
  #inbound: InboundAudio | null = null;
  #stopFollowing: () => void = () => undefined;

  constructor(setUp: LineSetUp) {
    this.#setUp = setUp;
    if (!('socket' in setUp.way)) return;
    this.#uniqueId = setUp.way.uniqueId;
    this.attach(setUp.way.socket);
  }

  /** Empty until it is dialled. */
  get uniqueId(): string {
    return this.#uniqueId;
  }

  get ref(): string | null {
    return 'ref' in this.#setUp.way && !this.#isReleased ? this.#setUp.way.ref : null;
  }

  dial(request: { readonly to: string; readonly ringMs: number; readonly maxMs: number }): void {
    if (this.#isDialled || this.#isReleased) return;
    this.#isDialled = true;
    const { exchange, way } = this.#setUp;
    if ('socket' in way) return this.#answer(way.socket);
    this.#uniqueId = way.uniqueIdFor(request.to);
    const { to, ringMs } = request;
    const asked = { to, uniqueId: this.#uniqueId, ref: way.ref, ringMs, maxMs: ringMs + request.maxMs };
    void exchange.originate(asked, (news) => this.#take(news));
  }

  play(audio: Audio): void {
    if (this.#isLive) this.#downlink?.play(audio.bytes());
  }

  mark(generation: number, markId: number): void {
    if (this.#isLive) this.#downlink?.mark(generation, markId);
  }

  clear(): void {
    if (this.#isLive) this.#downlink?.clear();
  }

  redirect(redirection: Redirection): void {
    if (redirection.plan === 'transfer') void this.#transfer(redirection.to);
    else if (redirection.plan === 'say') void this.#apologise();
  }

  sendDigits(digits: string): void {
    void this.#setUp.exchange
      .sendDigits(this.#uniqueId, digits)
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
    this.#stopFollowing();
    this.#closeAudio();
    this.#socket?.close(1000);
    this.#setUp.forget(this);
  }

  /** True for the first who comes with its reference. */
  reserve(): boolean {
    if (this.#isReserved || this.#isReleased) return false;
    this.#isReserved = true;
    return true;
  }

  attach(socket: MediaSocket): void {
    this.#socket = socket;
    socket.onMessage((data, isBinary) => {
      if (this.#isReleased) return;
      if (isBinary) this.#hear(data);
      else this.#obey(data.toString('utf8'));
    });
    socket.onClose((code) => this.#endStream(code === 1000 ? 'stopped' : 'dropped'));
    if (this.#isReleased) socket.close(1000);
  }

  /** The telephone has rung until now. */
  #answer(socket: MediaSocket): void {
    this.#stopFollowing = this.#setUp.exchange.follow(this.#uniqueId, (news) => this.#take(news));
    this.#take({ kind: 'accepted' });
    socket.send(ANSWER);
    this.#startStream();
  }

  #hear(data: Buffer): void {
    this.#inbound?.take(data);
  }

  #obey(text: string): void {
    const event = readMediaEvent(text);
    switch (event?.kind) {
      case 'start':
        // Of a call that comes in it has been heard before.
        if ('socket' in this.#setUp.way) return;
        if (!event.isMulaw8k) return this.#socket?.close(1003);
        return this.#startStream();
      case 'mark':
        return this.#emit({ type: 'carrier.markEchoed', epoch: 1, generation: event.generation, markId: event.markId });
      case 'digit':
        return this.#emit({ type: 'carrier.digitPressed', digit: event.digit });
      case 'full':
        return this.#downlink?.hold();
      case 'room':
        return this.#downlink?.goOn();
      default:
    }
  }

  #closeAudio(): void {
    this.#downlink?.close();
    this.#inbound?.close();
    this.#inbound = null;
  }

  #startStream(): void {
    const socket = this.#socket;
    if (this.#isLive || this.#isReleased || socket === null) return;
    this.#isLive = true;
    const { clock, options } = this.#setUp;
    this.#downlink = new Downlink((data) => socket.send(data), clock);
    this.#inbound = new InboundAudio(clock, options.hear);
    // Who hears audio has answered; news of that may be slower.
    this.#take({ kind: 'status', status: 'answered' });
    this.#emit({ type: 'carrier.streamStarted', epoch: 1 });
  }

  #endStream(how: 'stopped' | 'dropped'): void {
    if (!this.#isLive) return;
    this.#isLive = false;
    this.#closeAudio();
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
    let outcome = await this.#setUp.exchange.hangUp(this.#uniqueId);
    if (outcome === 'failed' && this.#isLive) {
      // Without its manager there is still the audio's way: the leg ends, and the dial plan hangs up behind it.
      this.#socket?.send(HANG_UP);
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
    const outcome = this.#isLive ? await this.#setUp.exchange.apologise(this.#uniqueId) : 'failed';
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
