import { seededRandom } from './random.ts';

/** Times in milliseconds. Every random choice comes from `seed`. */
export interface DelayLineOptions {
  readonly delayMs?: number;
  /** Up to this much is added to each message's delay. */
  readonly jitterMs?: number;
  /** Now and then nothing arrives for `forMs`, and then everything at once. `everyMs` is the mean time between two stalls. */
  readonly stalls?: { readonly everyMs: number; readonly forMs: number };
  /** Arrivals are bunched: they come only at multiples of this. */
  readonly burstMs?: number;
  readonly seed?: number;
}

interface Parcel {
  readonly dueMs: number;
  readonly deliver: () => void;
}

/**
 * One direction of a connection: what is put in first comes out first, as with TCP, later than it was put in. A close is a
 * parcel like any other, so it arrives behind the data. `cut` throws away what is still under way.
 */
export class DelayLine {
  private readonly options: DelayLineOptions;
  private readonly random: () => number;
  private readonly queue: Parcel[] = [];
  private timer: NodeJS.Timeout | undefined;
  private stallFromMs: number;
  private closed = false;

  constructor(options: DelayLineOptions = {}) {
    this.options = options;
    this.random = seededRandom(options.seed ?? 1);
    this.stallFromMs = performance.now() + this.untilNextStall();
  }

  /** Parcels under way. */
  get underWay(): number {
    return this.queue.length;
  }

  /** `deliver` runs when the parcel arrives, never before an earlier one: at once when the line has no delay and nothing is under way. */
  send(deliver: () => void): void {
    if (this.closed) return;
    const nowMs = performance.now();
    const dueMs = this.due(nowMs);
    if (dueMs <= nowMs && this.queue.length === 0) {
      deliver();
      return;
    }
    this.queue.push({ dueMs, deliver });
    this.arm();
  }

  cut(): void {
    this.closed = true;
    this.queue.length = 0;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private due(nowMs: number): number {
    const { delayMs = 0, jitterMs = 0, burstMs = 0, stalls } = this.options;
    let dueMs = nowMs + delayMs + (jitterMs > 0 ? this.random() * jitterMs : 0);
    if (burstMs > 0) dueMs = Math.ceil(dueMs / burstMs) * burstMs;
    while (stalls !== undefined && dueMs >= this.stallFromMs) {
      const endMs = this.stallFromMs + stalls.forMs;
      if (dueMs < endMs) {
        dueMs = endMs;
        break;
      }
      this.stallFromMs = endMs + this.untilNextStall();
    }
    return dueMs;
  }

  private untilNextStall(): number {
    const everyMs = this.options.stalls?.everyMs ?? Number.POSITIVE_INFINITY;
    return everyMs * (0.5 + this.random());
  }

  private arm(): void {
    const head = this.queue[0];
    if (this.timer !== undefined || head === undefined) return;
    this.timer = setTimeout(() => this.deliverDue(), Math.max(0, head.dueMs - performance.now()));
  }

  private deliverDue(): void {
    this.timer = undefined;
    // A timer may fire a fraction of a millisecond early; nothing may arrive before it is due.
    for (let head = this.queue[0]; head !== undefined && head.dueMs <= performance.now(); head = this.queue[0]) {
      this.queue.shift();
      head.deliver();
    }
    this.arm();
  }
}
