/**
 * What the telephone says, without holes, for carriers whose network sends nothing (or may) while a telephone is quiet: the model would wait
 * for the end of a sentence that has long been over. Real time that brings no audio is silence. Audio that comes late after all is passed on,
 * and the time it is ahead by then is not filled again.
 */
import { Audio } from '../media/audio.ts';
import { bytesOfMs, decodeSample, FRAME_BYTES, msOfBytes, SILENCE_BYTE } from '../media/mulaw.ts';

interface InboundClock {
  now(): number;
  setTimer(fire: () => void, delayMs: number): () => void;
}

/** Asked at each look, which comes `lateMs` too late: how much more behind is silence, and so long after this look (0: at once). */
export type Patience = (lateMs: number) => { readonly patienceMs: number; readonly inMs: number };

const LOOK_MS = 100;
/** So much is left to come late. */
const MARGIN_MS = 60;
/**
 * A telephone that suppresses silence goes on sending for a moment when its user is quiet. What breaks off in a word is late, by the network
 * or by a busy machine: it is waited for so much longer, as a hole would be heard in the word for ever.
 */
const IN_A_WORD_MS = 200;
const PATIENCE_IN_A_WORD_MS = 1_000;
/** Mean of a frame's 16 bit samples. Soft speech is 300 and more, the hiss of a line 25. */
const LOUD = 150;

export class InboundAudio {
  readonly #clock: InboundClock;
  readonly #hear: (audio: Audio, mediaMs: number) => void;
  readonly #patience: Patience;
  readonly #startMs: number;
  #bytes = 0;
  /** Where the last sound ends. */
  #soundBytes = -Infinity;
  #cancel: () => void = () => undefined;

  constructor(clock: InboundClock, hear: (audio: Audio, mediaMs: number) => void, patience: Patience) {
    this.#clock = clock;
    this.#hear = hear;
    this.#patience = patience;
    this.#startMs = clock.now();
    this.#look();
  }

  /** µ-law, in whole frames. */
  take(frame: Buffer): void {
    const mediaMs = msOfBytes(this.#bytes);
    this.#bytes += frame.byteLength;
    if (isLoud(frame)) this.#soundBytes = this.#bytes;
    this.#hear(Audio.fromBytes(frame), mediaMs);
  }

  close(): void {
    this.#cancel();
  }

  #look(): void {
    const dueMs = this.#clock.now() + LOOK_MS;
    this.#cancel = this.#clock.setTimer(() => {
      const { patienceMs, inMs } = this.#patience(this.#clock.now() - dueMs);
      if (inMs === 0) return this.#judge(patienceMs);
      this.#cancel = this.#clock.setTimer(() => this.#judge(patienceMs), inMs);
    }, LOOK_MS);
  }

  #judge(patienceMs: number): void {
    this.#look();
    const behindMs = this.#clock.now() - this.#startMs - msOfBytes(this.#bytes);
    const isInAWord = msOfBytes(this.#bytes - this.#soundBytes) < IN_A_WORD_MS;
    if (behindMs <= (isInAWord ? Math.max(patienceMs, PATIENCE_IN_A_WORD_MS) : patienceMs)) return;
    const missing = bytesOfMs(behindMs - MARGIN_MS);
    this.take(Buffer.alloc(missing - (missing % FRAME_BYTES), SILENCE_BYTE));
  }
}

function isLoud(frame: Uint8Array): boolean {
  let sum = 0;
  for (const code of frame) sum += Math.abs(decodeSample(code));
  return sum > LOUD * frame.byteLength;
}
