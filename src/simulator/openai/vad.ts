import { bytesOfMs, decodeSample, msOfBytes } from '../../media/mulaw.ts';

/** Positions in milliseconds of audio written to the session's input, never of the clock. */
export type VadEvent =
  | { readonly kind: 'started'; readonly atMs: number }
  /** `silentMs` of silence have passed since speech; the caller decides whether that ends the turn. */
  | { readonly kind: 'quiet'; readonly atMs: number; readonly silentMs: number };

const WINDOW_MS = 10;
const WINDOW_BYTES = bytesOfMs(WINDOW_MS);
/** At a threshold of 0.5, the middle of the scale. Speech in the phrasebook is 500 to 5,000, the line's hiss 25. */
const LOUDNESS_AT_HALF = 250;
/** Five loud windows of the last eight are speech; a click is not. */
const RECENT = 8;
const ENOUGH = 5;
/** While somebody speaks, softer sounds still belong to it. */
const HYSTERESIS = 0.6;

/** Finds speech in µ-law by its energy, in windows of 10 ms of audio. */
export class Vad {
  private readonly pending = new Uint8Array(WINDOW_BYTES);
  private filled = 0;
  private position: number;
  private recent: boolean[] = [];
  private speaking = false;
  private lastLoudEndMs = 0;

  constructor(startMs = 0) {
    this.position = startMs;
  }

  /** `threshold` is the session's, 0 to 1: the higher, the louder one must be. */
  push(bytes: Uint8Array, threshold: number, on: (event: VadEvent) => void): void {
    for (const byte of bytes) {
      this.pending[this.filled] = byte;
      this.filled += 1;
      if (this.filled === WINDOW_BYTES) this.window(threshold, on);
    }
  }

  /** The turn was ended by the caller. */
  rest(): void {
    this.speaking = false;
    this.recent = [];
  }

  private window(threshold: number, on: (event: VadEvent) => void): void {
    let energy = 0;
    for (const byte of this.pending) energy += decodeSample(byte) ** 2;
    const loudness = Math.sqrt(energy / WINDOW_BYTES);
    const needed = LOUDNESS_AT_HALF * (threshold / 0.5) ** 3;
    this.filled = 0;
    this.position += msOfBytes(WINDOW_BYTES);
    const loud = loudness > (this.speaking ? needed * HYSTERESIS : needed);
    if (loud) this.lastLoudEndMs = this.position;
    if (this.speaking) {
      if (!loud) on({ kind: 'quiet', atMs: this.position, silentMs: this.position - this.lastLoudEndMs });
      return;
    }
    this.recent = [...this.recent.slice(1 - RECENT), loud];
    if (this.recent.filter(Boolean).length < ENOUGH) return;
    this.speaking = true;
    const first = this.recent.indexOf(true);
    on({ kind: 'started', atMs: this.position - (this.recent.length - first) * WINDOW_MS });
  }
}
