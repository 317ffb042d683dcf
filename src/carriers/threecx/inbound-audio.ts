/**
 * What the telephone says, without holes. Whether 3CX sends anything while a telephone is quiet is not documented; where it does not, the
 * model would wait for the end of a sentence that has long been over. Real time that brings no audio is silence. Audio that comes late after
 * all is passed on, and the time it is ahead by then is not filled again.
 */
import { Audio } from '../../media/audio.ts';
import { bytesOfMs, FRAME_BYTES, msOfBytes, SILENCE_BYTE } from '../../media/mulaw.ts';
import type { ThreeCxClock } from './exchange.ts';

type Timing = Pick<ThreeCxClock, 'now' | 'setTimer'>;

const LOOK_MS = 100;
/** TCP loses nothing: what is late by a repeated packet still comes. */
const PATIENCE_MS = 260;
/** So much is left to come late. */
const MARGIN_MS = 60;
/** A look that is so late had to wait for a busy process, as had the audio. That is read first: so many looks in time come before a judgement. */
const LATE_MS = 30;
const LOOKS_IN_TIME = 2;
/** A process that is never in time judges all the same. */
const MOST_BEHIND_MS = 1_500;

export class InboundAudio {
  readonly #clock: Timing;
  readonly #hear: (audio: Audio, mediaMs: number) => void;
  readonly #startMs: number;
  #bytes = 0;
  /** Looks in time, in a row. */
  #inTime = 0;
  #cancel: () => void = () => undefined;

  constructor(clock: Timing, hear: (audio: Audio, mediaMs: number) => void) {
    this.#clock = clock;
    this.#hear = hear;
    this.#startMs = clock.now();
    this.#look();
  }

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
    const patienceMs = this.#inTime >= LOOKS_IN_TIME ? PATIENCE_MS : MOST_BEHIND_MS;
    if (behindMs <= patienceMs) return;
    const missing = bytesOfMs(behindMs - MARGIN_MS);
    this.take(Buffer.alloc(missing - (missing % FRAME_BYTES), SILENCE_BYTE));
  }
}
