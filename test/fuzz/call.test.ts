import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallEvent } from '../../src/call/events.ts';
import { step } from '../../src/call/step.ts';
import { Machine } from '../call/machine.ts';
import { type Moment, moments, REQUEST } from './arbitrary-events.ts';

const RUNS = Number(process.env.FUZZ_RUNS ?? 2_000);
/** Ringing, the longest call, and hanging up five times in vain. */
const LONGEST_MS = 42_000 + REQUEST.limits.callMs + 120_000;

function play(sequence: readonly Moment[]): Machine {
  const machine = new Machine();
  let chunkId = 0;
  for (const { afterMs, happening } of sequence) {
    machine.advance(afterMs);
    chunkId += 1;
    // A timer that fires before its time is nothing that can happen; one that was replaced is.
    if (happening.type === 'timer.fired' && machine.call.timers[happening.name]?.setId === happening.setId) continue;
    const numbered = happening.type === 'model.spoke' ? { ...happening, chunkId } : happening;
    if ('epoch' in numbered && numbered.type.startsWith('model.'))
      changesNothingWhenLate(machine, numbered as CallEvent);
    machine.feed(numbered);
  }
  return machine;
}

/** An event of an earlier session does what a moment without an event does, and gives its audio back. */
function changesNothingWhenLate(machine: Machine, event: CallEvent): void {
  const { call, nowMs } = machine;
  if (!('epoch' in event) || event.epoch >= call.model.epoch) return;
  const late = step(call, { ...event, atMs: nowMs });
  const nothing = step(call, { type: 'timer.fired', name: 'pace', setId: -1, atMs: nowMs });
  expect(late.call).toEqual(nothing.call);
  expect(late.commands.filter((command) => command.type !== 'chunk.drop')).toEqual(
    nothing.commands.filter((command) => command.type !== 'chunk.drop'),
  );
}

describe('the core under arbitrary events', () => {
  it('keeps every invariant, never throws, and ends in bounded time once nothing more happens', () => {
    fc.assert(
      fc.property(moments, (sequence) => {
        const machine = play(sequence);
        if (!machine.call.line.dialled) machine.feed({ type: 'operator.ended', mode: 'now' });
        expect(machine.runToEnd(machine.nowMs + LONGEST_MS)).toBe(true);
        expect(machine.observer.ended).toBe(1);
      }),
      { numRuns: RUNS },
    );
  });
});
