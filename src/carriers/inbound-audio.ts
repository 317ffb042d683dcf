/**
 * What the telephone says, without holes, for carriers whose network sends nothing (or may) while a telephone is quiet: the model would wait
 * for the end of a sentence that has long been over. Real time that brings no audio is silence. Audio that comes late after all is passed on,
 * and the time it is ahead by then is not filled again.
 */
import { Audio } from '../media/audio.ts';
import { bytesOfMs, FRAME_BYTES, msOfBytes, SILENCE_BYTE } from '../media/mulaw.ts';

export interface InboundClock {
  now(): number;
  setTimer(fire: () => void, delayMs: number): () => void;
}

const LOOK_MS = 100;
/** So much is left to come late. */
const MARGIN_MS = 60;
/** A look that is so late had to wait for a busy process, as had the audio. That is read first: so many looks in time come before a judgement. */
const LATE_MS = 30;
const LOOKS_IN_TIME = 2;
/** A process that is never in time judges all the same. */
const MOST_BEHIND_MS = 1_500;

export class InboundAudio {
  readonly #clock: InboundClock;
  readonly #hear: (audio: Audio, mediaMs: number) => void;
  readonly #patienceMs: number;
  readonly #startMs: number;
  #bytes = 0;
  /** Looks in time, in a row. */
  #inTime = 0;
  #cancel: () => void = () => undefined;

  /** `patienceMs`: so late audio may be before it counts as none. */
  constructor(clock: InboundClock, hear: (audio: Audio, mediaMs: number) => void, patienceMs: number) {
    this.#clock = clock;
    this.#hear = hear;
    this.#patienceMs = patienceMs;
    this.#startMs = clock.now();
    this.#look();
  }

  /** µ-law, in whole frames. */
  take(frame: Buffer): void {
    const mediaMs = msOfBytes(this.#bytes);
    this.#bytes += frame.byteLength;
    this.#hear(Audio.fromBytes(frame), mediaMs);
  }

  close(): void {
    this.#cancel();
  }

  #look(): void {
    const dueMs = this.#clock.now() + LOOK_MS;
    this.#cancel = this.#clock.setTimer(() => {
      this.#inTime = this.#clock.now() - dueMs > LATE_MS ? 0 : this.#inTime + 1;
      this.#look();
      this.#fill();
    }, LOOK_MS);
  }

  #fill(): void {
    const behindMs = this.#clock.now() - this.#startMs - msOfBytes(this.#bytes);
    if (behindMs <= (this.#inTime >= LOOKS_IN_TIME ? this.#patienceMs : MOST_BEHIND_MS)) return;
    const missing = bytesOfMs(behindMs - MARGIN_MS);
    this.take(Buffer.alloc(missing - (missing % FRAME_BYTES), SILENCE_BYTE));
  }
}
