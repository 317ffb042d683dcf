import { SILENCE_BYTE } from '../../media/mulaw.ts';
import type { Phrase } from '../speech/phrasebook.ts';

/** Length of the windows that are compared, in bytes; at 8 kHz this is 4 ms of speech. */
export const WINDOW_BYTES = 32;
/** Clips are indexed at every so many bytes, what is heard at every byte; so a match is found after at most their sum. */
const STRIDE_BYTES = 8;
/** A window with fewer bytes that are not silence says nothing about where it comes from. */
const MIN_SOUND_BYTES = 8;
const BASE = 16_777_619;

/** A hash of the last `WINDOW_BYTES` bytes, moved on one byte at a time. */
export class RollingHash {
  private readonly ring = new Uint8Array(WINDOW_BYTES).fill(SILENCE_BYTE);
  private at = 0;
  private hash = 0;
  private sound = 0;

  constructor() {
    for (let i = 0; i < WINDOW_BYTES; i++) this.hash = (Math.imul(this.hash, BASE) + SILENCE_BYTE) | 0;
  }

  push(byte: number): void {
    const leaving = this.ring[this.at] ?? SILENCE_BYTE;
    this.ring[this.at] = byte;
    this.at = (this.at + 1) % WINDOW_BYTES;
    this.hash = (Math.imul(this.hash, BASE) + byte - Math.imul(leaving, LEAVING)) | 0;
    this.sound += (byte === SILENCE_BYTE ? 0 : 1) - (leaving === SILENCE_BYTE ? 0 : 1);
  }

  /** Null when the window is nearly all silence. */
  get value(): number | null {
    return this.sound < MIN_SOUND_BYTES ? null : this.hash;
  }
}

const LEAVING = (() => {
  let power = 1;
  for (let i = 0; i < WINDOW_BYTES; i++) power = Math.imul(power, BASE);
  return power;
})();

export interface Place {
  readonly phrase: Phrase;
  /** Byte of the clip just after the window. */
  readonly end: number;
}

/** Where in a phrasebook's clips a stretch of sound may come from. */
export class ClipIndex {
  readonly phrases: readonly Phrase[];
  private readonly places = new Map<number, Place[]>();

  constructor(phrases: readonly Phrase[]) {
    this.phrases = phrases;
    for (const phrase of phrases) {
      const hash = new RollingHash();
      phrase.audio.forEach((byte, i) => {
        hash.push(byte);
        const start = i + 1 - WINDOW_BYTES;
        if (start < 0 || start % STRIDE_BYTES !== 0 || hash.value === null) return;
        const known = this.places.get(hash.value);
        if (known === undefined) this.places.set(hash.value, [{ phrase, end: i + 1 }]);
        else known.push({ phrase, end: i + 1 });
      });
    }
  }

  /** Places whose window has this hash; the caller compares the bytes. */
  lookUp(hash: number): readonly Place[] {
    return this.places.get(hash) ?? [];
  }
}

const indexes = new WeakMap<readonly Phrase[], ClipIndex>();

/** Building an index of a phrasebook takes a while, so ears of the same phrasebook share one. */
export function indexOf(phrases: readonly Phrase[]): ClipIndex {
  const known = indexes.get(phrases);
  if (known !== undefined) return known;
  const made = new ClipIndex(phrases);
  indexes.set(phrases, made);
  return made;
}
