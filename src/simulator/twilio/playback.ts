import { BYTES_PER_MS, SILENCE_BYTE } from '../../media/mulaw.ts';

type Entry = { readonly audio: Uint8Array; taken: number } | { readonly mark: string };

export interface Played {
  /** Exactly the bytes asked for, filled up with silence where the buffer was empty. */
  readonly audio: Uint8Array;
  /** How many of them came out of the buffer. */
  readonly soundedBytes: number;
  /** Names of the marks that were reached, in order. */
  readonly reached: readonly string[];
}

/** Twilio buffers ten minutes of audio for one stream; what exceeds that is thrown away (warning 31931). */
export const PLAYBACK_CAP_MS = 600_000;

/**
 * The playback buffer of one stream: a first-in-first-out queue of audio and marks that knows no clock. Whoever owns it takes 8
 * bytes for each millisecond that passes (Twilio, "Media Streams – WebSocket messages": media, mark, clear).
 */
export class Playback {
  private entries: Entry[] = [];
  private buffered = 0;
  private readonly capBytes: number;

  constructor(capMs = PLAYBACK_CAP_MS) {
    this.capBytes = capMs * BYTES_PER_MS;
  }

  get bufferedBytes(): number {
    return this.buffered;
  }

  /** False when the audio did not fit and was thrown away. */
  push(audio: Uint8Array): boolean {
    if (this.buffered + audio.byteLength > this.capBytes) return false;
    if (audio.byteLength > 0) {
      this.entries.push({ audio, taken: 0 });
      this.buffered += audio.byteLength;
    }
    return true;
  }

  /** True when the mark is to be echoed at once because nothing is waiting before it. */
  mark(name: string): boolean {
    if (this.entries.length === 0) return true;
    this.entries.push({ mark: name });
    return false;
  }

  /** Drops all audio; answers the marks that were waiting, which are echoed now although they were never played. */
  clear(): readonly string[] {
    const waiting = this.entries.flatMap((entry) => ('mark' in entry ? [entry.mark] : []));
    this.entries = [];
    this.buffered = 0;
    return waiting;
  }

  take(bytes: number): Played {
    const audio = new Uint8Array(bytes).fill(SILENCE_BYTE);
    const reached: string[] = [];
    let sounded = 0;
    for (let entry = this.entries[0]; entry !== undefined; entry = this.entries[0]) {
      if ('mark' in entry) {
        reached.push(entry.mark);
        this.entries.shift();
        continue;
      }
      if (sounded === bytes) break;
      const piece = entry.audio.subarray(entry.taken, entry.taken + bytes - sounded);
      audio.set(piece, sounded);
      sounded += piece.byteLength;
      entry.taken += piece.byteLength;
      if (entry.taken === entry.audio.byteLength) this.entries.shift();
    }
    this.buffered -= sounded;
    return { audio, soundedBytes: sounded, reached };
  }
}
