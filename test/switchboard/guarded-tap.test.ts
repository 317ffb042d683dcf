import { expect, it } from 'vitest';
import { guardTap } from '../../src/switchboard/guarded-tap.ts';
import type { Tap } from '../../src/switchboard/tap.ts';

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
  const tap = guardTap(new Failing(), (error) => faults.push(error));
  tap.played?.(1);
  tap.frames?.(50);
  tap.frames?.(50);
  tap.played?.(2);
  await tap.ended?.();
  expect(calls).toEqual(['tap played 1', 'tap heard', 'put away']);
  expect(faults).toEqual([new Error('a mistake')]);
  // What is not there stays away: the bridge does not even look at the clock for it.
  expect(tap.heard).toBeUndefined();
});
