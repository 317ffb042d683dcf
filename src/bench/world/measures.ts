/** What the load world has seen of its calls: delays, losses, clears. Figures in milliseconds. */
import { percentile } from '../interruptions.ts';
import { Way } from './stamps.ts';

export interface Spread {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface Carried {
  /** From the telephone to the model, and from the model to the telephone. */
  readonly up: Spread;
  readonly down: Spread;
  readonly clear: Spread;
  readonly framesUp: number;
  readonly framesDown: number;
  readonly lost: number;
  readonly disordered: number;
  /** Interruptions after which no clear came. */
  readonly unclearedInterruptions: number;
  /** What should not have come, each kind once. */
  readonly complaints: readonly string[];
}

export function spreadOf(values: readonly number[]): Spread {
  const max = values.reduce((most, value) => Math.max(most, value), 0);
  const nothing = values.length === 0;
  return {
    count: values.length,
    p50Ms: nothing ? 0 : percentile(values, 0.5),
    p99Ms: nothing ? 0 : percentile(values, 0.99),
    maxMs: max,
  };
}

/** The measures of one call. */
export interface CallMeasures {
  readonly up: Way;
  readonly down: Way;
  interruptedAtMs: number | null;
}

export class Measures {
  readonly #upMs: number[] = [];
  readonly #downMs: number[] = [];
  readonly #clearMs: number[] = [];
  readonly #complaints = new Set<string>();
  #uncleared = 0;
  #recording = false;
  #framesUp = 0;
  #framesDown = 0;
  #lostBefore = 0;
  #disorderedBefore = 0;

  newCall(): CallMeasures {
    const call = { up: new Way(this.#upMs), down: new Way(this.#downMs), interruptedAtMs: null };
    call.up.recording = this.#recording;
    call.down.recording = this.#recording;
    return call;
  }

  interrupted(call: CallMeasures, atMs: number): void {
    if (call.interruptedAtMs !== null && this.#recording) this.#uncleared += 1;
    call.interruptedAtMs = atMs;
  }

  cleared(call: CallMeasures, atMs: number): void {
    if (call.interruptedAtMs !== null && this.#recording) this.#clearMs.push(atMs - call.interruptedAtMs);
    call.interruptedAtMs = null;
  }

  complain(what: string): void {
    this.#complaints.add(what);
  }

  begin(calls: readonly CallMeasures[]): void {
    this.#upMs.length = 0;
    this.#downMs.length = 0;
    this.#clearMs.length = 0;
    this.#uncleared = 0;
    this.#recording = true;
    this.#framesUp = sum(calls, (call) => call.up.sent);
    this.#framesDown = sum(calls, (call) => call.down.sent);
    this.#lostBefore = sum(calls, (call) => call.up.lost + call.down.lost);
    this.#disorderedBefore = sum(calls, (call) => call.up.disordered + call.down.disordered);
    for (const call of calls) this.#record(call, true);
  }

  /** The calls so far are gone, and what was wrong with them. */
  forget(): void {
    this.#complaints.clear();
  }

  /** The window is over; what is still under way arrives before `carried` is asked. */
  end(calls: readonly CallMeasures[]): void {
    this.#recording = false;
    this.#framesUp = sum(calls, (call) => call.up.sent) - this.#framesUp;
    this.#framesDown = sum(calls, (call) => call.down.sent) - this.#framesDown;
    for (const call of calls) {
      this.#record(call, false);
      call.up.mark();
      call.down.mark();
    }
  }

  carried(calls: readonly CallMeasures[]): Carried {
    const lost = sum(calls, (call) => call.up.lost + call.down.lost) - this.#lostBefore;
    return {
      up: spreadOf(this.#upMs),
      down: spreadOf(this.#downMs),
      clear: spreadOf(this.#clearMs),
      framesUp: this.#framesUp,
      framesDown: this.#framesDown,
      lost: lost + sum(calls, (call) => call.up.missing + call.down.missing),
      disordered: sum(calls, (call) => call.up.disordered + call.down.disordered) - this.#disorderedBefore,
      unclearedInterruptions: this.#uncleared,
      complaints: [...this.#complaints],
    };
  }

  #record(call: CallMeasures, recording: boolean): void {
    call.up.recording = recording;
    call.down.recording = recording;
  }
}

function sum(calls: readonly CallMeasures[], of: (call: CallMeasures) => number): number {
  return calls.reduce((total, call) => total + of(call), 0);
}
