import { expect, it } from 'vitest';
import type { Tap } from '../../src/switchboard/tap.ts';
import { Taps } from '../../src/switchboard/taps.ts';

it('a tap that fails is told of once and called no more, but for what it has to put away', async () => {
  const calls: string[] = [];
  class Failing implements Tap {
    readonly #name = 'tap';
    frames(): void {
      calls.push(`${this.#name} heard`);
      throw new Error('a mistake');
    }
    played(chunkId: number): void {
      calls.push(`${this.#name} played ${chunkId}`);
    }
    async ended(): Promise<void> {
      calls.push('put away');
    }
  }
  const faults: unknown[] = [];
  const other: number[] = [];
  const taps = new Taps([new Failing(), { played: (chunkId) => other.push(chunkId) }], (error) => faults.push(error));
  taps.played(1);
  taps.frames(50);
  taps.frames(50);
  taps.played(2);
  await taps.ended();
  expect(calls).toEqual(['tap played 1', 'tap heard', 'put away']);
  expect(faults).toEqual([new Error('a mistake')]);
  expect(other).toEqual([1, 2]);
  // The bridge does not even look at the clock when nobody wants to know.
  expect(taps.hears).toBe(false);
});
