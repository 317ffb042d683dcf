import { type Call, newCall, stateOf } from '../call/call.ts';
import type { CallCommand } from '../call/commands.ts';
import type { CallEvent, CallPolicy, CarrierEvent, ModelEvent } from '../call/events.ts';
import { step } from '../call/step.ts';
import type { Timing } from '../call/timing.ts';
import type { Brief, CallId, CallState, Limits } from '../call/words.ts';
import type { Carrier, Line } from '../carriers/carrier.ts';
import type { Audio } from '../media/audio.ts';
import type { Model, ModelSession, ModelTool } from '../models/model.ts';
import { Chunks } from './chunks.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';
import type { Scribe } from './scribe.ts';
import type { Tap } from './tap.ts';
import { Taps } from './taps.ts';
import { createTimers, type Timers } from './timers.ts';
import { Uplink } from './uplink.ts';

export interface BridgeOptions {
  readonly callId: CallId;
  readonly brief: Brief;
  readonly limits: Limits;
  readonly policy: CallPolicy;
  /** The usual times where it is absent. */
  readonly timing?: Timing | undefined;
  /** The model's system instructions for this call. */
  readonly instructions: string;
  readonly tools: readonly ModelTool[];
  readonly carrier: Carrier;
  readonly model: Model;
  readonly scribe: Scribe;
  readonly taps: readonly Tap[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One live call: the shell around `step`. It owns the call's sockets, timers and audio, and decides nothing. */
export interface Bridge {
  /** Places the call. */
  start(): void;
  state(): CallState;
  carrierCallId(): string | null;
  /** Resolves once the carrier's id is known or the call has ended. */
  readonly bound: Promise<void>;
  end(mode: 'polite' | 'now'): void;
  drain(graceMs: number): void;
  /** Resolves when the call has ended and its record is on disk. Never rejects. */
  readonly ended: Promise<void>;
}

/** Events as they come from outside, before they are stamped with the time (and a model's with its epoch). */
type Unstamped<E> = E extends { readonly atMs: number } ? Omit<E, 'atMs'> : never;
type Incoming = Unstamped<CallEvent> & { readonly atMs?: number };

const SAMPLED_FRAME = 100;

export function createBridge(options: BridgeOptions): Bridge {
  return new LiveBridge(options);
}

class LiveBridge implements Bridge {
  readonly bound: Promise<void>;
  readonly ended: Promise<void>;
  readonly #options: BridgeOptions;
  readonly #line: Line;
  readonly #uplink = new Uplink();
  readonly #chunks = new Chunks();
  readonly #timers: Timers;
  readonly #taps: Taps;
  readonly #inbox: CallEvent[] = [];
  #call: Call = newCall();
  #session: ModelSession | null = null;
  #stepping = false;
  /** Pieces of the callee's audio that the taps have not been told of. */
  #untold = 0;
  #told: CallState = 'queued';
  #carrierCallId: string | null = null;
  #isAnswered = false;
  #resolveBound: () => void = () => undefined;
  #resolveEnded: () => void = () => undefined;

  constructor(options: BridgeOptions) {
    this.#options = options;
    const { callId, logger } = options;
    this.#taps = new Taps(options.taps, (err) =>
      logger.error({ callId, err }, 'what listens to a call made a mistake'),
    );
    this.#timers = createTimers(options.clock, (name, setId, atMs) =>
      this.#feed({ type: 'timer.fired', name, setId, atMs }),
    );
    this.bound = new Promise((resolve) => {
      this.#resolveBound = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.#line = options.carrier.line({
      callId: options.callId,
      record: options.brief.record === true,
      emit: (event) => this.#fromCarrier(event),
      hear: (audio, mediaMs) => this.#hear(audio, mediaMs),
    });
  }

  start(): void {
    const { brief, limits, policy, timing, carrier } = this.#options;
    const times = timing ? { timing } : {};
    this.#feed({ type: 'call.requested', brief, limits, policy, traits: carrier.traits, ...times });
  }

  state(): CallState {
    return stateOf(this.#call);
  }

  carrierCallId(): string | null {
    return this.#carrierCallId;
  }

  end(mode: 'polite' | 'now'): void {
    this.#feed({ type: 'operator.ended', mode });
  }

  drain(graceMs: number): void {
    this.#feed({ type: 'server.draining', graceMs });
  }

  #hear(audio: Audio, mediaMs: number): void {
    this.#untold += 1;
    if (this.#untold === SAMPLED_FRAME) this.#hearSample(audio, mediaMs);
    else this.#uplink.hear(audio, mediaMs);
    if (this.#taps.hears) this.#taps.heard(audio, mediaMs, this.#options.clock.now());
  }

  #hearSample(audio: Audio, mediaMs: number): void {
    const { clock } = this.#options;
    const sinceMs = clock.now();
    this.#uplink.hear(audio, mediaMs);
    const atMs = clock.now();
    this.#tellFrames();
    this.#taps.sampled({ mediaMs, tookMs: atMs - sinceMs, atMs });
  }

  #tellFrames(): void {
    this.#taps.frames(this.#untold);
    this.#untold = 0;
  }

  #fromCarrier(event: CarrierEvent): void {
    if (event.type === 'carrier.bound' && event.carrierCallId !== null) {
      this.#carrierCallId = event.carrierCallId;
      this.#options.scribe.change({ carrierCallId: event.carrierCallId });
    }
    // Also where no audio ever comes: it is billed from then on.
    if (event.type === 'carrier.progressed' && event.status === 'answered') this.#tellAnswered();
    if (event.type === 'carrier.streamStarted') this.#uplink.restart();
    this.#feed(event);
    if (event.type === 'carrier.bound' || event.type === 'carrier.refused') this.#resolveBound();
  }

  #fromModel(epoch: number, event: ModelEvent, audio: Audio | undefined): void {
    if (event.type === 'model.spoke' && audio) this.#chunks.put(event.chunkId, audio);
    this.#take(stamped(event, epoch, this.#options.clock.now()));
  }

  /** Steps until nothing is left to do. An event that a command causes at once waits for the step before it to be obeyed. */
  #feed(event: Incoming): void {
    this.#take({ ...event, atMs: event.atMs ?? this.#options.clock.now() } as CallEvent);
  }

  #take(event: CallEvent): void {
    const isAlone = !this.#stepping && this.#inbox.length === 0;
    if (!isAlone) this.#inbox.push(event);
    if (this.#stepping) return;
    this.#stepping = true;
    try {
      for (let next = isAlone ? event : this.#inbox.shift(); next; next = this.#inbox.shift()) {
        this.#taps.event(next);
        const { call, commands } = step(this.#call, next);
        if (this.#taps.followsSteps) this.#taps.stepped({ event: next, before: this.#call, after: call, commands });
        const before = this.#call;
        this.#call = call;
        for (const command of commands) {
          this.#tell(command, next.atMs);
          this.#obey(command);
        }
        if (mayDiffer(before, call)) this.#tellState(next.atMs);
      }
    } finally {
      this.#stepping = false;
    }
  }

  #tell(command: CallCommand, atMs: number): void {
    const audio = command.type === 'carrier.play' ? this.#chunks.get(command.chunkId) : undefined;
    this.#taps.command(command, atMs, audio);
  }

  #tellState(atMs: number): void {
    const state = this.state();
    if (state === this.#told) return;
    this.#told = state;
    this.#taps.state(state, atMs);
    if (state === 'answered') this.#tellAnswered();
    // The end is written by `scribe.ended`, with its outcome, in one change.
    if (state !== 'ended') this.#options.scribe.state(state);
  }

  #tellAnswered(): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#options.scribe.change({ answeredAtMs: this.#options.clock.wall() });
  }

  #obey(command: CallCommand): void {
    switch (command.type) {
      case 'carrier.play': {
        const audio = this.#chunks.take(command.chunkId);
        if (!audio) return;
        this.#line.play(audio);
        this.#taps.played(command.chunkId);
        return;
      }
      case 'chunk.drop':
        this.#chunks.take(command.chunkId);
        return;
      case 'uplink.set':
        return this.#uplink.set(command.to, command.keepMs);
      case 'timer.set':
        return this.#timers.set(command.name, command.atMs, command.setId);
      case 'timer.clear':
        return this.#timers.clear(command.name);
      case 'scribe.line':
      case 'scribe.note':
      case 'scribe.usage':
        return this.#options.scribe.write(command);
      case 'scribe.ended':
        return this.#finish(command);
      default:
        return this.#obeyOutward(command);
    }
  }

  #obeyOutward(
    command: Exclude<
      CallCommand,
      { type: `scribe.${string}` | `timer.${string}` | 'carrier.play' | 'chunk.drop' | 'uplink.set' }
    >,
  ): void {
    const line = this.#line;
    const session = this.#session;
    switch (command.type) {
      case 'carrier.dial':
        return line.dial(command);
      case 'carrier.mark':
        return line.mark(command.generation, command.markId);
      case 'carrier.clear':
        return line.clear(command.generation);
      case 'carrier.redirect':
        return line.redirect(command);
      case 'carrier.sendDigits':
        return line.sendDigits?.(command.digits);
      case 'carrier.inquire':
        return line.inquire();
      case 'carrier.hangUp':
        return line.hangUp();
      case 'carrier.release':
        return line.release();
      case 'model.open':
        return this.#openModel(command);
      case 'model.configure':
        return session?.configure(command.turn);
      case 'model.reply':
        return session?.reply(command);
      case 'model.cancel':
        return session?.cancel(command.replyId);
      case 'model.truncate':
        return session?.truncate(command.itemId, command.contentIndex, command.audioEndMs);
      case 'model.remember':
        return session?.remember(command.text);
      case 'model.answerTool':
        return session?.answerTool(command.toolCallId, command.output);
      case 'model.commitInput':
        return session?.commitInput();
      case 'model.close':
        session?.close();
        this.#connect(null);
        return;
      default:
        command satisfies never;
    }
  }

  #openModel({ epoch, seed, turn }: Extract<CallCommand, { type: 'model.open' }>): void {
    const { callId, brief, instructions, tools, model } = this.#options;
    this.#session?.close();
    const session = model.open(
      { callId, instructions, voice: brief.voice, language: brief.language, tools, seed, turn },
      (event, audio) => this.#fromModel(epoch, event, audio),
    );
    this.#connect(session);
  }

  #connect(session: ModelSession | null): void {
    this.#session = session;
    this.#uplink.end = session;
  }

  /** What the taps put away, such as a recording, is there before the call counts as ended. */
  #finish(ended: Extract<CallCommand, { type: 'scribe.ended' }>): void {
    this.#timers.clearAll();
    this.#tellFrames();
    this.#chunks.clear();
    this.#session?.close();
    this.#connect(null);
    this.#resolveBound();
    const { scribe } = this.#options;
    const putAway = this.#taps.ended();
    const settle = (): void => {
      scribe.write(ended);
      void scribe.settled().then(this.#resolveEnded);
    };
    if (putAway === null) settle();
    else void putAway.then(settle);
  }
}

/** Audio comes so often that it is worth not to be copied member by member. */
function stamped(event: ModelEvent, epoch: number, atMs: number): CallEvent {
  if (event.type !== 'model.spoke') return { ...event, epoch, atMs };
  const { type, replyId, itemId, contentIndex, chunkId, bytes } = event;
  return { type, replyId, itemId, contentIndex, chunkId, bytes, epoch, atMs };
}

/** The state in words follows from these regions alone. */
function mayDiffer(before: Call, after: Call): boolean {
  return (
    before.line !== after.line ||
    before.stream !== after.stream ||
    before.model !== after.model ||
    before.ending !== after.ending ||
    before.settling !== after.settling ||
    before.ended !== after.ended
  );
}
