/**
 * Gaps in a stream's timestamps: audio that the network lost is given back as silence, so that an end-pointer still sees a turn
 * end. A frame that comes late, after its place was filled, must not count twice.
 */
import { msOfBytes } from './mulaw.ts';

const LEAST_GAP_MS = 20;
const MOST_GAP_MS = 10_000;

/**
 * `expectedMs` is the media time at which the next frame should begin; null before the first frame. `filledMs` is how much of the
 * latest gap was given as silence and has not come late since: no more than that may be dropped as late, so that a carrier whose
 * clock jumps back is still heard.
 */
export interface Timeline {
  readonly expectedMs: number | null;
  readonly filledMs: number;
}

export const newTimeline: Timeline = { expectedMs: null, filledMs: 0 };

/** What to do with a frame of `bytes` stamped `mediaMs`: silence to put before it, and whether its place was filled already. */
export function place(
  timeline: Timeline,
  mediaMs: number,
  bytes: number,
): { readonly timeline: Timeline; readonly padMs: number; readonly late: boolean } {
  const lengthMs = msOfBytes(bytes);
  const { filledMs } = timeline;
  const expectedMs = timeline.expectedMs ?? mediaMs;
  const gapMs = mediaMs - expectedMs;
  if (gapMs <= -LEAST_GAP_MS - lengthMs && filledMs >= lengthMs) {
    return { timeline: { expectedMs, filledMs: filledMs - lengthMs }, padMs: 0, late: true };
  }
  const padMs = gapMs >= LEAST_GAP_MS ? Math.min(gapMs, MOST_GAP_MS) : 0;
  return { timeline: { expectedMs: mediaMs + lengthMs, filledMs: padMs > 0 ? padMs : filledMs }, padMs, late: false };
}
