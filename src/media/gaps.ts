/**
 * Gaps in a stream's timestamps: audio that the network lost is given back as silence, so that an end-pointer still sees a turn
 * end. A frame that comes late, after its place was filled, must not count twice.
 */
import { msOfBytes } from './mulaw.ts';

const LEAST_GAP_MS = 20;
const MOST_GAP_MS = 10_000;

/** The place of each frame on the media clock of one stream. */
export class Timeline {
  #begun = false;
  /** Where the next frame should begin. */
  #expectedMs = 0;
  /**
   * How much of the latest gap was given as silence and has not come late since: no more than that may be dropped as late, so
   * that a carrier whose clock jumps back is still heard.
   */
  #filledMs = 0;

  /** Of a frame of `bytes` stamped `mediaMs`: milliseconds of silence to put before it; null when its place was filled already. */
  place(mediaMs: number, bytes: number): number | null {
    const lengthMs = msOfBytes(bytes);
    const gapMs = this.#begun ? mediaMs - this.#expectedMs : 0;
    this.#begun = true;
    if (gapMs <= -LEAST_GAP_MS - lengthMs && this.#filledMs >= lengthMs) {
      this.#filledMs -= lengthMs;
      return null;
    }
    const padMs = gapMs >= LEAST_GAP_MS ? Math.min(gapMs, MOST_GAP_MS) : 0;
    this.#expectedMs = mediaMs + lengthMs;
    if (padMs > 0) this.#filledMs = padMs;
    return padMs;
  }
}
