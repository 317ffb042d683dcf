import { describe, expect, it } from 'vitest';
import { SILENCE_BYTE } from '../../src/media/mulaw.ts';
import { TwoTracks } from '../../src/media/two-tracks.ts';

const sound = (length: number, from = 1): Uint8Array => Uint8Array.from({ length }, (_, i) => (from + i) % 200);

function sides(stereo: Uint8Array): { readonly left: readonly number[]; readonly right: readonly number[] } {
  const side = (from: number) => [...stereo].filter((_, i) => i % 2 === from);
  return { left: side(0), right: side(1) };
}

const silence = (length: number): number[] => Array.from({ length }, () => SILENCE_BYTE);

describe('two tracks', () => {
  it('leave silence where a frame is missing, and put a late one into its place', () => {
    const tracks = new TwoTracks();
    tracks.placeLeft(0, sound(160));
    tracks.placeLeft(480, sound(160, 40));
    expect(tracks.placeLeft(160, sound(160, 20))).toBe(true);
    expect(sides(tracks.take(640)).left).toEqual([
      ...sound(160),
      ...sound(160, 20),
      ...silence(160),
      ...sound(160, 40),
    ]);
  });

  it('go on without a seam where timestamps were rounded to milliseconds', () => {
    const tracks = new TwoTracks();
    tracks.placeLeft(0, sound(165));
    tracks.placeLeft(160, sound(160, 30));
    tracks.placeLeft(320, sound(100, 60));
    expect(sides(tracks.take(425)).left).toEqual([...sound(165), ...sound(160, 30), ...sound(100, 60)]);
  });

  it('take each sample once, however they are asked, and say what came too late', () => {
    const tracks = new TwoTracks();
    tracks.placeLeft(0, sound(160));
    tracks.openRun(10);
    tracks.extendRun(sound(100));
    const parts = [tracks.take(7), tracks.take(50), tracks.take(50), tracks.take(160)];
    const whole = sides(new Uint8Array(Buffer.concat(parts)));
    expect(whole.left).toEqual([...sound(160)]);
    expect(whole.right).toEqual([...silence(10), ...sound(100), ...silence(50)]);
    expect(tracks.placeLeft(100, sound(40))).toBe(false);
    expect(tracks.placeLeft(150, sound(40))).toBe(false);
    expect(sides(tracks.take(190)).left).toEqual([...sound(40).subarray(10)]);
  });

  it('hold no more than was heard of a run that was cut, also in the middle of a chunk', () => {
    const tracks = new TwoTracks();
    tracks.openRun(0);
    tracks.extendRun(sound(100));
    tracks.extendRun(sound(100, 101));
    tracks.cutRun(130);
    tracks.openRun(400);
    tracks.extendRun(sound(10, 7));
    expect(tracks.end).toBe(410);
    const { right } = sides(tracks.take(tracks.end));
    expect(right).toEqual([...sound(130), ...silence(270), ...sound(10, 7)]);
    expect(tracks.heldBytes).toBe(0);
  });

  it('keep what was taken when the cut is known too late, and nothing beyond it', () => {
    const tracks = new TwoTracks();
    tracks.openRun(0);
    tracks.extendRun(sound(200));
    tracks.take(150);
    tracks.cutRun(100);
    expect(sides(tracks.take(200)).right).toEqual(silence(50));
  });

  it('move what is not taken yet when the carrier stalled, and never over what stands there', () => {
    const tracks = new TwoTracks();
    tracks.openRun(0);
    tracks.extendRun(sound(400));
    const before = sides(tracks.take(100)).right;
    tracks.moveRun(200);
    tracks.openRun(300);
    tracks.extendRun(sound(50, 90));
    const after = sides(tracks.take(tracks.end)).right;
    expect([...before, ...after]).toEqual([
      ...sound(100),
      ...silence(200),
      ...sound(400).subarray(100),
      ...sound(50, 90),
    ]);
  });

  it('keep the place of audio that there was no room for', () => {
    const tracks = new TwoTracks();
    tracks.openRun(0);
    tracks.extendRun(sound(10));
    tracks.extendRun(sound(20), false);
    tracks.extendRun(sound(10, 50));
    expect(sides(tracks.take(40)).right).toEqual([...sound(10), ...silence(20), ...sound(10, 50)]);
  });
});
