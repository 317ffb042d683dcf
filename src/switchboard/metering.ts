import type { CallCommand } from '../call/commands.ts';
import type { CallEvent, EpochModelEvent } from '../call/events.ts';
import type { CallState } from '../call/words.ts';
import type { Clock } from './clock.ts';
import type { Meter } from './meter.ts';
import type { FrameSample, Tap } from './tap.ts';

/** One chunk of the model's audio in so many is timed. */
const TIMED_CHUNK = 10;
/** How far the promptest frame is looked for, so that clocks that drift apart do not count as lateness. */
const PROMPT_SAMPLES = 10;

/** Feeds the figures of one call to the meter. A frame costs a few additions. */
export function meterCall(meter: Meter, clock: Clock): Tap {
  meter.callPlaced();
  meter.stateChanged(null, 'queued');
  return new CallMeter(meter, clock);
}

class CallMeter implements Tap {
  readonly #meter: Meter;
  readonly #clock: Clock;
  readonly #wait: Wait;
  #state: CallState | null = 'queued';
  #answeredAtMs: number | null = null;
  #samples = 0;
  #promptMs = Number.POSITIVE_INFINITY;
  #promptBeforeMs = Number.POSITIVE_INFINITY;
  #chunks = 0;
  #timedChunk: number | null = null;
  #spokeAtMs = 0;
  #cleared = false;

  constructor(meter: Meter, clock: Clock) {
    this.#meter = meter;
    this.#clock = clock;
    this.#wait = new Wait(meter);
  }

  frames(count: number): void {
    this.#meter.frames.from_callee += count;
  }

  sampled({ mediaMs, tookMs, atMs }: FrameSample): void {
    const offsetMs = atMs - mediaMs;
    if (offsetMs < this.#promptMs) this.#promptMs = offsetMs;
    this.#meter.bridged('from_callee', tookMs / 1_000);
    this.#meter.frameCame((offsetMs - Math.min(this.#promptMs, this.#promptBeforeMs)) / 1_000);
    this.#samples += 1;
    if (this.#samples % PROMPT_SAMPLES === 0) this.#forgetPromptness(this.#promptMs);
  }

  event(event: CallEvent): void {
    // What the carrier had no room for is played at a later event, which is no delay of ours.
    this.#timedChunk = null;
    switch (event.type) {
      case 'model.spoke':
        return this.#spoke(event);
      case 'carrier.progressed':
        if (event.status === 'answered') this.#answeredAtMs ??= event.atMs;
        return;
      case 'carrier.refused':
        return this.#meter.carrierFailed('refused');
      case 'carrier.uncertain':
        return this.#meter.carrierFailed('uncertain');
      case 'carrier.streamStarted':
        return this.#forgetPromptness(Number.POSITIVE_INFINITY);
      case 'carrier.streamEnded':
        if (event.how === 'dropped') this.#meter.carrierFailed('stream-dropped');
        return;
      case 'carrier.streamFailed':
        return this.#meter.carrierFailed('stream-failed');
      case 'carrier.hungUp':
        if (event.outcome === 'failed') this.#meter.carrierFailed('hang-up-failed');
        return;
      case 'carrier.redirected':
        if (event.outcome === 'failed') this.#meter.carrierFailed('redirect-failed');
        return;
      default:
        if (isOfModel(event)) this.#modelEvent(event);
    }
  }

  #spoke({ chunkId, replyId, atMs }: Extract<CallEvent, { readonly type: 'model.spoke' }>): void {
    this.#chunks += 1;
    if (this.#chunks % TIMED_CHUNK === 1) {
      this.#timedChunk = chunkId;
      this.#spokeAtMs = atMs;
    }
    this.#wait.spoke(replyId, chunkId);
  }

  #modelEvent(event: EpochModelEvent & { readonly atMs: number }): void {
    switch (event.type) {
      case 'model.speechStarted':
        return this.#wait.over(event.atMs);
      case 'model.speechStopped':
        if (this.#state === 'answered') this.#wait.begin(event.atMs);
        return;
      case 'model.replyCreated':
        return this.#wait.replyCreated(event.replyId);
      case 'model.toolCalled':
        if (event.name === 'stay_quiet') this.#wait.forget();
        return;
      case 'model.failed':
        return this.#meter.modelFailed(event.kind);
      case 'model.replyDone':
        if (event.status === 'failed' || event.status === 'incomplete')
          this.#meter.modelFailed(`reply-${event.status}`);
        return;
      case 'model.objected':
        // The other two are the ordinary outcome of a race.
        if (event.objection === 'truncate-refused') this.#meter.modelFailed('truncate-refused');
        if (event.objection === 'other') this.#meter.modelFailed('objection');
        return;
      default:
        return;
    }
  }

  command(command: CallCommand, atMs: number): void {
    switch (command.type) {
      case 'carrier.clear':
        this.#cleared = true;
        return;
      case 'model.truncate':
        return this.#meter.truncated(command.audioEndMs / 1_000);
      case 'model.open':
        this.#wait.silenceMs = command.turn.silenceMs;
        if (command.epoch > 1) this.#meter.modelRenewed();
        return;
      case 'model.configure':
        this.#wait.silenceMs = command.turn.silenceMs;
        return;
      case 'scribe.note':
        return this.#noted(command.kind, command.data);
      case 'scribe.usage':
        return this.#meter.used(command.usage);
      case 'scribe.ended':
        this.#wait.tell();
        this.#meter.callEnded(
          command.outcome,
          this.#answeredAtMs === null ? null : (atMs - this.#answeredAtMs) / 1_000,
        );
        return;
      default:
        return;
    }
  }

  #noted(kind: string, data: Readonly<Record<string, unknown>>): void {
    if (kind === 'reply-unanswered' || kind === 'reply-stuck') this.#meter.modelFailed(kind);
    if (kind !== 'interrupted') return;
    // Once for each clear; a reply that had said nothing yet is not spoken over.
    if (this.#cleared) this.#meter.interrupted();
    this.#cleared = false;
    const { heardMs, receivedMs } = data;
    if (typeof heardMs === 'number' && typeof receivedMs === 'number')
      this.#meter.discarded(Math.max(0, receivedMs - heardMs) / 1_000);
  }

  played(chunkId: number): void {
    this.#meter.frames.to_callee += 1;
    const timed = chunkId === this.#timedChunk;
    const awaited = this.#wait.isFor(chunkId);
    if (!timed && !awaited) return;
    const nowMs = this.#clock.now();
    if (timed) this.#meter.bridged('to_callee', (nowMs - this.#spokeAtMs) / 1_000);
    if (awaited) this.#wait.answered(nowMs);
  }

  state(state: CallState, atMs: number): void {
    const to = state === 'ended' ? null : state;
    this.#meter.stateChanged(this.#state, to);
    this.#state = to;
    if (state === 'answered') this.#answeredAtMs ??= atMs;
    if (state === 'ending' || state === 'ended') this.#wait.over(atMs);
  }

  #forgetPromptness(beforeMs: number): void {
    this.#promptBeforeMs = beforeMs;
    this.#promptMs = Number.POSITIVE_INFINITY;
  }
}

/** From the end of the callee's turn to the first sound of the reply to it. */
class Wait {
  /** The silence that ends a turn from now on. */
  silenceMs = 0;
  readonly #meter: Meter;
  #sinceMs: number | null = null;
  /** So much earlier the callee had stopped. */
  #silentMs = 0;
  #replyId: string | null = null;
  #chunkId: number | null = null;
  #longestMs: number | null = null;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  begin(atMs: number): void {
    this.forget();
    this.#sinceMs = atMs;
    this.#silentMs = this.silenceMs;
  }

  /** The latest reply is waited for: one before it had no audio, or its audio was dropped. One from before the turn's end answers something else. */
  replyCreated(replyId: string): void {
    if (this.#sinceMs === null) return;
    this.#replyId = replyId;
    this.#chunkId = null;
  }

  spoke(replyId: string, chunkId: number): void {
    if (this.#replyId === replyId && this.#chunkId === null) this.#chunkId = chunkId;
  }

  isFor(chunkId: number): boolean {
    return this.#chunkId === chunkId;
  }

  answered(atMs: number): void {
    if (this.#sinceMs === null) return;
    const waitedMs = atMs - this.#sinceMs;
    this.#meter.responded('turn_end', waitedMs / 1_000);
    this.#meter.responded('speech_end', (waitedMs + this.#silentMs) / 1_000);
    this.over(atMs);
  }

  /** Answered, or nobody waits any more. */
  over(atMs: number): void {
    if (this.#sinceMs !== null) this.#longestMs = Math.max(this.#longestMs ?? 0, atMs - this.#sinceMs);
    this.forget();
  }

  /** No answer is due. */
  forget(): void {
    this.#sinceMs = null;
    this.#replyId = null;
    this.#chunkId = null;
  }

  /** At the end of the call; nothing when no answer was ever due. */
  tell(): void {
    if (this.#longestMs !== null) this.#meter.longestWait(this.#longestMs / 1_000);
    this.#longestMs = null;
  }
}

function isOfModel(event: CallEvent): event is EpochModelEvent & { readonly atMs: number } {
  return event.type.startsWith('model.');
}
