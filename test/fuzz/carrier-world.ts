/** The carrier in virtual time: a first-in-first-out playback buffer of audio and marks behind a network, and the telephone line. */
import type { CallCommand } from '../../src/call/commands.ts';
import type { Machine } from '../call/machine.ts';
import type { Random } from './random.ts';

const BYTES_PER_MS = 8;

export interface CarrierTraitsOfWorld {
  readonly oneWayMs: number;
  readonly markJitterMs: number;
  /** Audio beyond it is thrown away (and counted). */
  readonly capMs: number;
  readonly losesMarksOnClear: boolean;
}

interface Piece {
  readonly itemId: string;
  readonly fromByte: number;
  readonly bytes: number;
}

interface WaitingMark {
  readonly atByte: number;
  readonly generation: number;
  readonly markId: number;
}

/** What was truly heard when a clear took effect. */
export interface Truth {
  readonly clearedAtMs: number;
  readonly heardMs: ReadonlyMap<string, number>;
  readonly sentMs: ReadonlyMap<string, number>;
  /** Since the end of the last stall of this run until the clear left us; null when there was none. */
  readonly sinceStallMs: number | null;
}

export class PlaybackBuffer {
  thrownAwayBytes = 0;
  onCleared: (truth: Truth) => void = () => {};
  private readonly machine: Machine;
  private readonly random: Random;
  private readonly traits: CarrierTraitsOfWorld;
  private epoch = 1;
  private playedBytes = 0;
  private receivedBytes = 0;
  private updatedAtMs = 0;
  private stalledUntilMs = 0;
  private lastStallEndMs: number | null = null;
  private pieces: Piece[] = [];
  private marks: WaitingMark[] = [];
  private lastEchoAtMs = 0;
  private upAtMs = 0;

  constructor(machine: Machine, random: Random, traits: CarrierTraitsOfWorld) {
    this.machine = machine;
    this.random = random;
    this.traits = traits;
  }

  reset(epoch: number): void {
    this.epoch = epoch;
    this.empty();
    this.marks = [];
  }

  /** The network takes the same time for everything that goes to the carrier, and keeps the order. */
  private arrive(run: () => void): void {
    const { epoch } = this;
    this.upAtMs = Math.max(this.upAtMs, this.machine.nowMs + this.traits.oneWayMs);
    this.machine.at(this.upAtMs, () => {
      if (epoch === this.epoch) run();
    });
  }

  play(itemId: string, bytes: number): void {
    this.arrive(() => {
      this.pass();
      const takenBytes = Math.min(bytes, this.traits.capMs * BYTES_PER_MS - (this.receivedBytes - this.playedBytes));
      this.thrownAwayBytes += bytes - takenBytes;
      if (this.receivedBytes === this.playedBytes) this.lastStallEndMs = null;
      this.pieces.push({ itemId, fromByte: this.receivedBytes, bytes: takenBytes });
      this.receivedBytes += takenBytes;
    });
  }

  mark(command: Extract<CallCommand, { type: 'carrier.mark' }>): void {
    this.arrive(() => {
      this.pass();
      this.marks.push({ atByte: this.receivedBytes, generation: command.generation, markId: command.markId });
      this.echoDue();
    });
  }

  clear(): void {
    const leftAtMs = this.machine.nowMs;
    this.arrive(() => {
      this.pass();
      const heardMs = new Map<string, number>();
      const sentMs = new Map<string, number>();
      for (const { itemId, fromByte, bytes } of this.pieces) {
        const heardBytes = Math.min(bytes, Math.max(0, this.playedBytes - fromByte));
        heardMs.set(itemId, (heardMs.get(itemId) ?? 0) + heardBytes / BYTES_PER_MS);
        sentMs.set(itemId, (sentMs.get(itemId) ?? 0) + bytes / BYTES_PER_MS);
      }
      const sinceStallMs = this.lastStallEndMs === null ? null : leftAtMs - this.lastStallEndMs;
      this.empty();
      const flushed = this.marks;
      this.marks = [];
      if (!this.traits.losesMarksOnClear) for (const mark of flushed) this.echo(mark);
      this.onCleared({ clearedAtMs: leftAtMs, heardMs, sentMs, sinceStallMs });
    });
  }

  /** Playing stops for a while, as when the far end's jitter buffer runs dry. */
  stall(durationMs: number): void {
    this.pass();
    if (this.receivedBytes === this.playedBytes) return;
    this.stalledUntilMs = this.machine.nowMs + durationMs;
    this.lastStallEndMs = this.stalledUntilMs;
  }

  private empty(): void {
    this.playedBytes = 0;
    this.receivedBytes = 0;
    this.pieces = [];
    this.updatedAtMs = this.machine.nowMs;
    this.stalledUntilMs = 0;
    this.lastStallEndMs = null;
  }

  /** Plays until now. */
  private pass(): void {
    const { nowMs } = this.machine;
    const fromMs = Math.min(nowMs, Math.max(this.updatedAtMs, this.stalledUntilMs));
    this.playedBytes = Math.min(this.receivedBytes, this.playedBytes + (nowMs - fromMs) * BYTES_PER_MS);
    this.updatedAtMs = nowMs;
  }

  /** Echoes the marks whose audio has been played, and comes back for the next one. */
  private echoDue(): void {
    this.pass();
    while (this.marks[0] && this.marks[0].atByte <= this.playedBytes + 1e-6) {
      const mark = this.marks.shift();
      if (mark) this.echo(mark);
    }
    const next = this.marks[0];
    if (!next) return;
    const stillMs = Math.max(0, this.stalledUntilMs - this.machine.nowMs);
    this.machine.later(stillMs + (next.atByte - this.playedBytes) / BYTES_PER_MS + 1e-3, () => {
      if (this.marks[0] === next) this.echoDue();
    });
  }

  private echo({ generation, markId }: WaitingMark): void {
    const { epoch } = this;
    const delayMs = this.traits.oneWayMs + this.random.between(0, this.traits.markJitterMs);
    this.lastEchoAtMs = Math.max(this.lastEchoAtMs, this.machine.nowMs + delayMs);
    this.machine.at(this.lastEchoAtMs, () => {
      this.machine.feed({ type: 'carrier.markEchoed', epoch, generation, markId });
    });
  }
}
