import { describe, expect, it } from 'vitest';
import { Timeline } from '../../src/media/gaps.ts';
import { FRAME_BYTES } from '../../src/media/mulaw.ts';

/** Feeds frames of 20 ms with these stamps; per frame: the silence before it, or `late`. */
function feed(stamps: readonly number[]): readonly (number | 'late')[] {
  const timeline = new Timeline();
  return stamps.map((mediaMs) => timeline.place(mediaMs, FRAME_BYTES) ?? 'late');
}

describe('gaps in the carrier’s timestamps', () => {
  it('leaves a steady stream as it is, wherever it begins and though its stamps waver', () => {
    expect(feed([500, 520, 543, 560, 578, 600])).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('gives what was lost back as silence', () => {
    expect(feed([0, 20, 240, 260])).toEqual([0, 0, 200, 0]);
  });

  it('does not count twice what comes late after its place was filled', () => {
    expect(feed([0, 20, 100, 40, 60, 120])).toEqual([0, 0, 60, 'late', 'late', 0]);
  });

  it('still hears a carrier whose clock jumps back', () => {
    expect(feed([10_000, 10_020, 0, 20, 40])).toEqual([0, 0, 0, 0, 0]);
    const heard = feed([10_000, 10_100, 0, 20, 40, 60, 80, 100, 120]);
    expect(heard.filter((one) => one === 'late')).toHaveLength(4);
    expect(heard.slice(-3)).toEqual([0, 0, 0]);
  });
});
