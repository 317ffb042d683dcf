/**
 * What the telephone says, without holes. A telephone that suppresses silence sends nothing while its holder is quiet, and Asterisk passes
 * on nothing then: the model would wait for the end of a sentence that has long been over. Real time that brings no audio is silence. Audio
 * that comes late after all is passed on, and the time it is ahead by then is not filled again.
 */
import { Audio } from '../../media/audio.ts';
import { bytesOfMs, FRAME_BYTES, msOfBytes, SILENCE_BYTE } from '../../media/mulaw.ts';
import type { DownlinkClock } from './downlink.ts';

const LOOK_MS = 100;
/** The network's jitter and a busy process are no silence. */
const PATIENCE_MS = 160;
/** So much is left to come late. */
const MARGIN_MS = 60;
/** A look that is so late had to wait for a busy process, as had the audio: that is read first. */
const LATE_MS = 50;
const AFTER_LATE_MS = 5;

export class InboundAudio {
  readonly #clock: DownlinkClock;
  readonly #hear: (audio: Audio, mediaMs: number) => void;
  readonly #startMs: number;
  #bytes = 0;
  #cancel: () => void = () => undefined;

  constructor(clock: DownlinkClock, hear: (audio: Audio, mediaMs: number) => void) {
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
      if (this.#clock.now() - dueMs <= LATE_MS) return this.#fill();
      this.#cancel = this.#clock.setTimer(() => this.#fill(), AFTER_LATE_MS);
    }, LOOK_MS);
  }

  #fill(): void {
    const behindMs = this.#clock.now() - this.#startMs - msOfBytes(this.#bytes);
    if (behindMs > PATIENCE_MS) {
      const missing = bytesOfMs(behindMs - MARGIN_MS);
      this.take(Buffer.alloc(missing - (missing % FRAME_BYTES), SILENCE_BYTE));
    }
    this.#look();
  }
}
