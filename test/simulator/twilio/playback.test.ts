import { describe, expect, it } from 'vitest';
import { Playback } from '../../../src/simulator/twilio/playback.ts';

const bytes = (length: number, value = 1) => new Uint8Array(length).fill(value);

describe('Playback', () => {
  it('plays what was pushed in order, across any sizes, and silence when it is empty', () => {
    const playback = new Playback();
    playback.push(bytes(3, 1));
    playback.push(bytes(4, 2));
    expect([...playback.take(5).audio]).toEqual([1, 1, 1, 2, 2]);
    const rest = playback.take(5);
    expect([...rest.audio]).toEqual([2, 2, 255, 255, 255]);
    expect(rest.soundedBytes).toBe(2);
  });

  it('reaches a mark exactly when all audio before it has been played', () => {
    const playback = new Playback();
    playback.push(bytes(10));
    expect(playback.mark('a')).toBe(false);
    playback.push(bytes(10));
    playback.mark('b');
    expect(playback.take(9).reached).toEqual([]);
    expect(playback.take(1).reached).toEqual(['a']);
    expect(playback.take(20).reached).toEqual(['b']);
  });

  it('wants a mark echoed at once when nothing is buffered', () => {
    const playback = new Playback();
    expect(playback.mark('a')).toBe(true);
    playback.push(bytes(1));
    playback.take(1);
    expect(playback.mark('b')).toBe(true);
  });

  it('drops all audio on a clear and gives back the waiting marks in order', () => {
    const playback = new Playback();
    playback.push(bytes(10));
    playback.mark('a');
    playback.push(bytes(10));
    playback.mark('b');
    expect(playback.clear()).toEqual(['a', 'b']);
    expect(playback.bufferedBytes).toBe(0);
    expect(playback.take(10)).toMatchObject({ soundedBytes: 0, reached: [] });
  });

  it('takes ten minutes of audio and no more', () => {
    const playback = new Playback();
    const minute = bytes(60_000 * 8);
    for (let i = 0; i < 10; i++) expect(playback.push(minute)).toBe(true);
    expect(playback.push(bytes(1))).toBe(false);
    playback.take(8);
    expect(playback.push(bytes(8))).toBe(true);
  });
});
