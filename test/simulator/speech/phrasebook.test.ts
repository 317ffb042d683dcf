import { describe, expect, it } from 'vitest';
import { decode } from '../../../src/media/mulaw.ts';
import { loadPhrasebook, phrase } from '../../../src/simulator/speech/load-phrasebook.ts';

function loudness(bytes: Uint8Array): number {
  const samples = decode(bytes);
  return Math.sqrt(samples.reduce((sum, s) => sum + s * s, 0) / samples.length);
}

describe('the phrasebook', () => {
  it('holds real clips in whole milliseconds, under 1.5 MB together', () => {
    const book = loadPhrasebook();
    expect(book.length).toBe(32);
    expect(book.reduce((sum, one) => sum + one.audio.byteLength, 0)).toBeLessThan(1_500_000);
    for (const one of book) {
      expect(Number.isInteger(one.durationMs)).toBe(true);
      expect(loudness(one.audio)).toBeGreaterThan(500);
    }
  });

  it('starts and ends every clip with sound, not silence', () => {
    for (const one of loadPhrasebook()) {
      expect(loudness(one.audio.subarray(0, 160)), one.id).toBeGreaterThan(100);
      expect(loudness(one.audio.subarray(-160)), one.id).toBeGreaterThan(100);
    }
  });

  it('times every word of the text, in order and within the clip', () => {
    for (const one of loadPhrasebook()) {
      expect(one.words.map((word) => word.text).join(' ')).toBe(one.text);
      let last = 0;
      for (const word of one.words) {
        expect(word.startMs).toBeGreaterThanOrEqual(last);
        expect(word.endMs).toBeGreaterThan(word.startMs);
        last = word.endMs;
      }
      expect(last).toBeLessThanOrEqual(one.durationMs);
    }
  });

  it('has no two equal stretches of 20 ms anywhere, so that what was heard maps to one place', () => {
    const seen = new Set<string>();
    let frames = 0;
    for (const one of loadPhrasebook()) {
      for (let at = 0; at + 160 <= one.audio.byteLength; at += 160) {
        seen.add(Buffer.from(one.audio.subarray(at, at + 160)).toString('latin1'));
        frames += 1;
      }
    }
    expect(seen.size).toBe(frames);
  });

  it('refuses an id that is not in the book', () => {
    expect(() => phrase('c.nonsense')).toThrow(RangeError);
    expect(phrase('c.confirmed').text).toContain('See you');
  });
});
