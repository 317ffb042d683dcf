import type { CarrierEvent, LineStatus } from '../../call/events.ts';
import type { Audio } from '../../media/audio.ts';
import type { Line, Redirection } from '../carrier.ts';
import { checkExtension, mayDial } from './destination.ts';
import type { Participant } from './exchange.ts';
import { dropParticipant } from './hang-up.ts';
import { carrierCallIdOf, nameInLog } from './names.ts';
import { type Phase, UP } from './phase.ts';
import { ENDED, FAILED, type Refusal, refusalOf, UNREACHABLE } from './refusal.ts';
import type { LineSetUp } from './set-up.ts';
import { arrivalOf, TRANSFER_MS, TRANSFER_RING_SECONDS } from './transfer.ts';
import { Voice } from './voice.ts';

/** 3CX gives no reason why a call was not taken. One that was given nearly all its time has rung. */
const RANG_OUT = 0.95;
/** When audio breaks, so long it may take to hear whether the call is over. */
const LOOK_MS = 1_000;

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
  #transferTo = '';
  #cancelTransfer: () => void = () => undefined;

  constructor(setUp: LineSetUp) {
    this.#setUp = setUp;
    this.#participantId = setUp.incoming?.id ?? null;
  }

  /** Null while it is not known, or there is none. */
  get participantId(): number | null {
    return this.#participantId;
  }

  get isIncoming(): boolean {
    return this.#setUp.incoming !== null;
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
    } else if (this.#phase === 'offered') {
      // Not by us: another program with the same client id speaks there.
      this.#leftTo('canceled');
    } else if (this.#phase === 'trying' || this.#phase === 'answering') {
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
    if (phase === 'transferring') return void this.#handedOver();
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
    if (!exchange.isConnected || !this.#to.startsWith('+')) {
      try {
        await mayDial(this.#setUp, this.#to);
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
    this.#emit({ type: 'carrier.uncertain', reason: '3CX did not say whether it has placed the call.' });
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
    try {
      await this.#setUp.exchange.act(this.#setUp.routePoint, this.#participantId, 'answer');
    } catch (err) {
      const refusal = refusalOf(err);
      // What may have been done is waited for.
      if (refusal === null) return void this.look();
      if (this.#phase === 'answering') await this.look();
      // Who has given up meanwhile is no failure. Who is connected although it was refused was answered by another program.
      if (!this.isUp || (this.#status === 'answered' && refusal.code === FAILED)) return;
      this.#warn('a call that rings could not be answered', { err });
      return this.#leftTo(this.#status === 'answered' ? 'canceled' : 'failed');
    }
    await this.look();
  }

  /** Not ours, and not to be dropped by us. */
  #leftTo(status: LineStatus): void {
    this.#phase = 'over';
    this.#endStream('stopped');
    this.#progress(status);
  }

  #newVoice(): Voice {
    const { exchange, routePoint: dn, clock, options } = this.#setUp;
    const voice: Voice = new Voice({
      exchange,
      dn,
      clock,
      hear: options.hear,
      blocked: () => this.#warn('the network to 3CX takes no more audio of a call'),
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
    const tooLong = new Promise<void>((resolve) => void this.#setUp.clock.setTimer(resolve, LOOK_MS));
    await Promise.race([this.look(), tooLong]);
    if (this.#voice !== voice || this.#isReleased) return;
    this.#warn('the audio of a call was lost', { wasOpen });
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
    const { exchange, clock, routePoint, lines } = this.#setUp;
    const outcome = await dropParticipant(exchange, clock, routePoint, this.#participantId ?? 0);
    if (outcome === 'failed') lines.dropLate(this.#carrierCallId);
  }

  async #transfer(destination: string): Promise<void> {
    if (this.#phase !== 'connected' || this.#participantId === null)
      return queueMicrotask(() => this.#emit({ type: 'carrier.redirected', outcome: 'failed' }));
    this.#phase = 'transferring';
    this.#transferTo = destination;
    const { exchange, routePoint, clock } = this.#setUp;
    const asked = { destination, timeoutSeconds: TRANSFER_RING_SECONDS };
    this.#cancelTransfer = clock.setTimer(() => void this.#endTransfer(), TRANSFER_MS);
    try {
      await checkExtension(this.#setUp, destination);
      if (this.#phase !== 'transferring') return;
      await exchange.act(routePoint, this.#participantId, 'transferto', asked);
    } catch (err) {
      // What may have been done is waited for.
      if (refusalOf(err) === null) return;
      this.#warn('a call could not be transferred', { err });
      await this.#endTransfer();
    }
  }

  async #handedOver(): Promise<void> {
    this.#emit({ type: 'carrier.redirected', outcome: await arrivalOf(this.#setUp, this.#transferTo) });
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
    const found = await this.#setUp.lines.find(this, this.#to, this.#dialledAtWallMs).catch(() => null);
    if (this.#phase !== 'uncertain' || this.#isReleased || found === null) return;
    if (found === 'unsure') this.#warn('more calls to this number than this one may be meant; none is touched');
    else if (found === 'none') this.#emit({ type: 'carrier.notFound' });
    else this.#bind(found);
  }

  #progress(status: LineStatus, source: 'webhook' | 'inquiry' = 'webhook'): void {
    if (status === this.#status && source === 'webhook') return;
    this.#status = status;
    this.#emit({ type: 'carrier.progressed', status, source });
  }

  #warn(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#setUp.logger.warn({ ...fields, call: nameInLog(this.#carrierCallId) }, message);
  }

  #emit(event: CarrierEvent): void {
    if (!this.#isReleased) this.#setUp.options.emit(event);
  }
}
