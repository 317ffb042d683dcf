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
    this.#cancel = this.#clock.setTimer(() => {
      const behindMs = this.#clock.now() - this.#startMs - msOfBytes(this.#bytes);
      if (behindMs > PATIENCE_MS) {
        const missing = bytesOfMs(behindMs - MARGIN_MS);
        this.take(Buffer.alloc(missing - (missing % FRAME_BYTES), SILENCE_BYTE));
      }
      this.#look();
    }, LOOK_MS);
  }
}
