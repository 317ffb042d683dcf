import { describe, expect, it } from 'vitest';
import type { Line } from '../../src/call/words.ts';
import { untilFull } from '../../src/switchboard/page.ts';

const line = (index: number, letters: number): Line => ({
  index,
  speaker: 'callee',
  text: 'x'.repeat(letters),
  interrupted: false,
  estimated: false,
  startMs: 0,
  endMs: 0,
  final: true,
});

describe('a page of lines', () => {
  it('ends where there is enough to read, planned words counted, and always has a line', () => {
    const short = Array.from({ length: 200 }, (_, index) => line(index, 300));
    expect(untilFull(short)).toBe(short);
    const long = Array.from({ length: 10 }, (_, index) => ({ ...line(index, 20_000), planned: 'y'.repeat(20_000) }));
    expect(untilFull(long).map(({ index }) => index)).toEqual([0, 1]);
    expect(untilFull([line(7, 500_000), line(8, 1)])).toEqual([line(7, 500_000)]);
    expect(untilFull([])).toEqual([]);
  });
});
