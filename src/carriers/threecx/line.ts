import type { CarrierEvent, LineStatus } from '../../call/events.ts';
import type { Audio } from '../../media/audio.ts';
import type { Line, Redirection } from '../carrier.ts';
import type { Participant } from './exchange.ts';
import { dropParticipant } from './hang-up.ts';
import { carrierCallIdOf, nameInLog } from './names.ts';
import { ENDED, type Refusal, refusalOf, UNREACHABLE } from './refusal.ts';
import type { LineSetUp } from './set-up.ts';
import { Voice } from './voice.ts';

type Phase =
  | 'new'
  | 'placing'
  /** Whether it was placed is not known. */
  | 'uncertain'
  | 'trying'
  /** It came in, and rings until the agent speaks: while it does, 3CX can still let somebody else have it. */
  | 'offered'
  | 'answering'
  | 'connected'
  | 'transferring'
  | 'over';

const UP: ReadonlySet<Phase> = new Set(['trying', 'offered', 'answering', 'connected', 'transferring']);
/** 3CX gives no reason why a call was not taken. One that was given nearly all its time has rung. */
const RANG_OUT = 0.95;
/** When audio breaks, so long it may take to hear whether the call is over. */
const LOOK_MS = 1_000;
/** Whoever is handed over hears music meanwhile, and is given back when nobody answers. */
const TRANSFER_RING_SECONDS = 25;
const TRANSFER_MS = 28_000;
/** With what it takes to look whether they are still with us. */
export const LONGEST_TRANSFER_MS = TRANSFER_MS + 4_000;

/** One telephone call at the app's route point. */
export class ThreeCxLine implements Line {
  readonly #setUp: LineSetUp;
  #phase: Phase = 'new';
  #to = '';
  #ringMs = 0;
  #dialledAtMs = 0;
  #dialledAtWallMs = 0;
  #participantId: number | null;
  #carrierCallId = '';
  #status: LineStatus | null = null;
  #epoch = 0;
  #voice: Voice | null = null;
  /** The core knows of the stream. */
  #isLive = false;
  /** The stream was lost while the call was being handed over, and the core has not been told. */
  #isLostInTransfer = false;
  #hangUpWanted = false;
  #isEnding = false;
  #isReleased = false;
  #cancelTransfer: () => void = () => undefined;

  constructor(setUp: LineSetUp) {
    this.#setUp = setUp;
    this.#participantId = setUp.incoming?.id ?? null;
  }

  /** Null while it is not known, or there is none. */
  get participantId(): number | null {
    return this.#participantId;
  }

  get #nameInLog(): string {
    return nameInLog(this.#carrierCallId);
  }

  get isUp(): boolean {
    return UP.has(this.#phase);
  }

  /** It may be any call to this number that nobody has. */
  mayBe(number: string): boolean {
    return (this.#phase === 'placing' || this.#phase === 'uncertain') && this.#to === number;
  }

  /** 3CX knows no longest time of a call: whoever dials ends it in time. */
  dial(request: { readonly to: string; readonly ringMs: number; readonly maxMs: number }): void {
    if (this.#phase !== 'new' || this.#isReleased) return;
    const { incoming, clock, lines } = this.#setUp;
    if (incoming !== null) return this.#ring(incoming);
    if (this.#hangUpWanted) {
      this.#phase = 'over';
      return queueMicrotask(() => this.#refused(ENDED));
    }
    this.#phase = 'placing';
    this.#to = request.to;
    this.#ringMs = request.ringMs;
    this.#dialledAtMs = clock.now();
    this.#dialledAtWallMs = clock.wall();
    lines.placing(this.#place());
  }

  play(audio: Audio): void {
    if (!this.#isLive) return;
    if (this.#phase === 'offered') void this.#answer();
    this.#voice?.play(audio.bytes());
  }

  mark(generation: number, markId: number): void {
    if (this.#isLive) this.#voice?.mark(generation, markId);
  }

  clear(_generation: number): void {
    if (this.#isLive) this.#voice?.clear();
  }

  redirect(redirection: Redirection): void {
    if (redirection.plan === 'transfer') void this.#transfer(redirection.to);
    else if (redirection.plan === 'reattach') {
      if (this.#voice === null) this.#openVoice();
      // 3CX has no voice of its own in such a call.
    } else queueMicrotask(() => this.#emit({ type: 'carrier.redirected', outcome: 'failed' }));
  }

  inquire(): void {
    if (!this.#isReleased) void this.#inquire();
  }

  hangUp(): void {
    this.#hangUpWanted = true;
    if (this.isUp) void this.#endCall();
    else if (this.#phase === 'new' || this.#phase === 'over')
      queueMicrotask(() => this.#emit({ type: 'carrier.hungUp', outcome: 'gone' }));
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#cancelTransfer();
    this.#voice?.close();
    this.#setUp.lines.forget();
    const isOurs = this.#phase === 'trying' || this.#phase === 'answering' || this.#phase === 'connected';
    if (isOurs) void this.#dropUnheard();
  }

  /** What 3CX says of its participant. */
  see(participant: Participant): void {
    if (this.#isReleased || !this.isUp) return;
    if (participant.status !== 'Connected') {
      // One word of 3CX's for what is dialled and for what rings there.
      if (this.#phase === 'trying') this.#progress('ringing');
    } else if (this.#phase === 'trying' || this.#phase === 'offered' || this.#phase === 'answering') {
      this.#phase = 'connected';
      this.#progress('answered');
      this.#openVoice();
    }
  }

  /** Its participant is gone. */
  gone(): void {
    if (this.#isReleased || !this.isUp) return;
    const phase = this.#phase;
    this.#phase = 'over';
    this.#cancelTransfer();
    // Whoever ends ends the stream first, as its connections may be closed a moment later.
    this.#endStream('stopped');
    // The telephone goes on with somebody else. That the caller has hung up meanwhile looks the same.
    if (phase === 'transferring') return this.#emit({ type: 'carrier.redirected', outcome: 'done' });
    this.#progress(phase === 'connected' ? 'completed' : this.#whyNotTaken());
  }

  pressed(digits: string): void {
    for (const digit of digits) if (/[0-9A-D*#]/.test(digit)) this.#emit({ type: 'carrier.digitPressed', digit });
  }

  /** Asks what has become of it; true when it is up, null when 3CX does not say. */
  async look(): Promise<boolean | null> {
    const { exchange, routePoint } = this.#setUp;
    if (this.#participantId === null) return null;
    try {
      const participant = await exchange.participant(routePoint, this.#participantId);
      if (participant === null) this.gone();
      else this.see(participant);
      return participant !== null;
    } catch {
      return null;
    }
  }

  /** Nothing of this tells busy from unreachable: 3CX removes the participant, and says no more. */
  #whyNotTaken(): LineStatus {
    if (this.#hangUpWanted || this.#setUp.incoming !== null) return 'canceled';
    return this.#setUp.clock.now() - this.#dialledAtMs >= this.#ringMs * RANG_OUT ? 'no-answer' : 'failed';
  }

  async #place(): Promise<void> {
    const { exchange, routePoint, options } = this.#setUp;
    if (!exchange.isConnected) {
      try {
        // Without its events nobody would hear of the answer.
        await exchange.ready();
      } catch (error) {
        return this.#refused(refusalOf(error) ?? UNREACHABLE);
      }
      if (this.#hangUpWanted || this.#isReleased) return this.#refused(ENDED);
    }
    let placed: Participant;
    try {
      placed = await exchange.makeCall({
        dn: routePoint,
        destination: this.#to,
        timeoutSeconds: Math.max(1, Math.ceil(this.#ringMs / 1_000)),
        attachedData: { switchboard: options.callId },
      });
    } catch (error) {
      return this.#notPlaced(error);
    }
    this.#bind(placed);
  }

  #refused(refusal: Refusal): void {
    this.#phase = 'over';
    this.#emit({ type: 'carrier.refused', ...refusal });
  }

  #notPlaced(error: unknown): void {
    const refusal = refusalOf(error);
    if (refusal !== null) return this.#refused(refusal);
    this.#phase = 'uncertain';
    const reason = '3CX did not say whether it has placed the call.';
    this.#emit({ type: 'carrier.uncertain', reason });
  }

  #bind(participant: Participant): void {
    this.#phase = 'trying';
    this.#participantId = participant.id;
    this.#carrierCallId = carrierCallIdOf(participant, this.#to);
    // Nobody is left to talk to whoever answers.
    if (this.#isReleased) return void this.#dropUnheard();
    this.#emit({ type: 'carrier.bound', carrierCallId: this.#carrierCallId });
    this.see(participant);
    if (this.#hangUpWanted) void this.#endCall();
    // Its first events may have come before its id was known.
    else void this.look();
  }

  /** The stream counts as there, so that the agent can begin; its first word takes the call. */
  #ring(incoming: Participant): void {
    this.#phase = 'offered';
    this.#carrierCallId = carrierCallIdOf(incoming, incoming.partyNumber ?? '');
    this.#emit({ type: 'carrier.bound', carrierCallId: this.#carrierCallId });
    this.#progress('ringing');
    const voice = this.#newVoice();
    voice.begin();
    this.#startStream(voice);
    void this.look();
  }

  async #answer(): Promise<void> {
    if (this.#participantId === null) return;
    this.#phase = 'answering';
    const { exchange, routePoint, logger } = this.#setUp;
    try {
      await exchange.act(routePoint, this.#participantId, 'answer');
    } catch (err) {
      await this.look();
      // Who has given up meanwhile is no failure, and what may have been done is waited for.
      if (this.#phase !== 'answering' || refusalOf(err) === null) return;
      logger.warn({ err, call: this.#nameInLog }, 'a call that rings could not be answered');
      this.#phase = 'over';
      this.#endStream('stopped');
      return this.#progress('failed');
    }
    await this.look();
  }

  #newVoice(): Voice {
    const { exchange, routePoint: dn, clock, logger, options } = this.#setUp;
    const voice: Voice = new Voice({
      exchange,
      dn,
      clock,
      hear: options.hear,
      blocked: () => logger.warn({ call: this.#nameInLog }, 'the network to 3CX takes no more audio of a call'),
      marked: (generation, markId) =>
        this.#emit({ type: 'carrier.markEchoed', epoch: this.#epoch, generation, markId }),
      opened: () => {
        if (!this.#isLive) this.#startStream(voice);
      },
      lost: (wasOpen) => void this.#lost(voice, wasOpen),
    });
    this.#voice = voice;
    return voice;
  }

  #openVoice(): void {
    if (this.#phase !== 'connected' || this.#participantId === null || this.#hangUpWanted) return;
    (this.#voice ?? this.#newVoice()).open(this.#participantId);
  }

  #startStream(voice: Voice): void {
    if (this.#voice !== voice) return;
    this.#isLive = true;
    this.#epoch += 1;
    this.#emit({ type: 'carrier.streamStarted', epoch: this.#epoch });
  }

  #endStream(how: 'stopped' | 'dropped'): void {
    this.#voice?.close();
    this.#voice = null;
    if (!this.#isLive) return;
    this.#isLive = false;
    this.#emit({ type: 'carrier.streamEnded', epoch: this.#epoch, how });
  }

  /** The end of a call is the end of its audio too: which of the two it was is asked first. */
  async #lost(voice: Voice, wasOpen: boolean): Promise<void> {
    if (this.#phase === 'transferring') {
      this.#isLostInTransfer = true;
      return;
    }
    const { clock, logger } = this.#setUp;
    const tooLong = new Promise<void>((resolve) => void clock.setTimer(resolve, LOOK_MS));
    await Promise.race([this.look(), tooLong]);
    if (this.#voice !== voice || this.#isReleased) return;
    logger.warn({ call: this.#nameInLog, wasOpen }, 'the audio of a call was lost');
    if (this.#isLive) return this.#endStream('dropped');
    this.#voice = null;
    this.#emit({ type: 'carrier.streamFailed', epoch: this.#epoch + 1 });
  }

  async #endCall(): Promise<void> {
    // The answer to the first is the answer to all who ask meanwhile.
    if (this.#isEnding || this.#participantId === null) return;
    this.#isEnding = true;
    const { exchange, clock, routePoint } = this.#setUp;
    const isUnanswered = this.#phase === 'offered';
    if (this.#phase === 'transferring') this.#phase = 'connected';
    // Nobody was picked up: it rings on, and 3CX does with it what its own rules say.
    const outcome = isUnanswered ? 'done' : await dropParticipant(exchange, clock, routePoint, this.#participantId);
    this.#isEnding = false;
    if (outcome !== 'failed') this.gone();
    this.#emit({ type: 'carrier.hungUp', outcome });
  }

  /** Whoever is on a line that nobody looks after any more would hear nothing for ever. */
  async #dropUnheard(): Promise<void> {
    const { exchange, clock, routePoint, logger } = this.#setUp;
    const outcome = await dropParticipant(exchange, clock, routePoint, this.#participantId ?? 0);
    if (outcome === 'failed')
      logger.warn({ call: this.#nameInLog }, 'a call that nobody looks after could not be put down');
  }

  async #transfer(destination: string): Promise<void> {
    if (this.#phase !== 'connected' || this.#participantId === null)
      return queueMicrotask(() => this.#emit({ type: 'carrier.redirected', outcome: 'failed' }));
    this.#phase = 'transferring';
    const { exchange, routePoint, clock, logger } = this.#setUp;
    const asked = { destination, timeoutSeconds: TRANSFER_RING_SECONDS };
    this.#cancelTransfer = clock.setTimer(() => void this.#endTransfer(), TRANSFER_MS);
    try {
      await exchange.act(routePoint, this.#participantId, 'transferto', asked);
    } catch (err) {
      // What may have been done is waited for.
      if (refusalOf(err) === null) return;
      logger.warn({ err, call: this.#nameInLog }, 'a call could not be transferred');
      await this.#endTransfer();
    }
  }

  /** It is still with us, or news of its going was lost. */
  async #endTransfer(): Promise<void> {
    this.#cancelTransfer();
    await this.look();
    if (this.#phase !== 'transferring') return;
    this.#phase = 'connected';
    this.#emit({ type: 'carrier.redirected', outcome: 'failed' });
    if (this.#isLostInTransfer) this.#endStream('dropped');
    this.#isLostInTransfer = false;
  }

  async #inquire(): Promise<void> {
    if (this.#phase === 'uncertain') return this.#search();
    const isUp = this.isUp ? await this.look() : this.#phase === 'over';
    if (isUp === true && this.#status !== null) this.#progress(this.#status, 'inquiry');
  }

  async #search(): Promise<void> {
    const { lines, logger } = this.#setUp;
    const found = await lines.find(this, this.#to, this.#dialledAtWallMs).catch(() => null);
    if (this.#phase !== 'uncertain' || this.#isReleased || found === null) return;
    if (found === 'unsure') logger.warn({}, 'more calls to this number than this one may be meant; none is touched');
    else if (found === 'none') this.#emit({ type: 'carrier.notFound' });
    else this.#bind(found);
  }

  #progress(status: LineStatus, source: 'webhook' | 'inquiry' = 'webhook'): void {
    if (status === this.#status && source === 'webhook') return;
    this.#status = status;
    this.#emit({ type: 'carrier.progressed', status, source });
  }

  #emit(event: CarrierEvent): void {
    if (!this.#isReleased) this.#setUp.options.emit(event);
  }
}
