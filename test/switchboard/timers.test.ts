import { describe, expect, it } from 'vitest';
import type { TimerName } from '../../src/call/events.ts';
import type { Clock } from '../../src/switchboard/clock.ts';
import { createTimers } from '../../src/switchboard/timers.ts';

/** A clock that goes when it is told to, and counts the timers that were asked of it. */
function handClock(): Clock & { go(toMs: number): void; readonly asked: number; readonly waiting: number } {
  let nowMs = 0;
  let asked = 0;
  const waiting = new Set<{ readonly atMs: number; readonly fire: () => void }>();
  return {
    now: () => nowMs,
    wall: () => nowMs,
    setTimer(fire, delayMs) {
      asked += 1;
      const timer = { atMs: nowMs + delayMs, fire };
      waiting.add(timer);
      return () => waiting.delete(timer);
    },
    go(toMs) {
      for (;;) {
        const [next] = [...waiting].filter((timer) => timer.atMs <= toMs).sort((a, b) => a.atMs - b.atMs);
        if (!next) break;
        waiting.delete(next);
        nowMs = Math.max(nowMs, next.atMs);
        next.fire();
      }
      nowMs = toMs;
    },
    get asked() {
      return asked;
    },
    get waiting() {
      return waiting.size;
    },
  };
}

function setUp() {
  const clock = handClock();
  const fired: [TimerName, number, number][] = [];
  return { clock, fired, timers: createTimers(clock, (name, setId, atMs) => fired.push([name, setId, atMs])) };
}

describe('the timers of a call', () => {
  it('fire once, at their moment, as they were set last', () => {
    const { clock, fired, timers } = setUp();
    timers.set('slot', 100, 1);
    timers.set('slot', 250, 2);
    timers.set('silence', 120, 3);
    clock.go(1_000);
    expect(fired).toEqual([
      ['silence', 3, 120],
      ['slot', 2, 250],
    ]);
  });

  it('fire earlier when they are set earlier', () => {
    const { clock, fired, timers } = setUp();
    timers.set('slot', 300, 1);
    timers.set('slot', 50, 2);
    clock.go(1_000);
    expect(fired).toEqual([['slot', 2, 50]]);
  });

  it('cost no new timer of the runtime while they are put off, as they are with every piece of audio', () => {
    const { clock, fired, timers } = setUp();
    for (let n = 0; n < 100; n += 1) timers.set('deadAir', 10_000 + n * 100, n);
    expect(clock.asked).toBe(1);
    clock.go(19_900);
    expect(fired).toEqual([['deadAir', 99, 19_900]]);
    expect(clock.asked).toBe(2);
  });

  it('do not fire once they are cleared, put off or not, and leave nothing behind', () => {
    const { clock, fired, timers } = setUp();
    timers.set('slot', 100, 1);
    timers.set('slot', 200, 2);
    timers.clear('slot');
    timers.set('silence', 100, 3);
    timers.clearAll();
    clock.go(1_000);
    expect(fired).toEqual([]);
    expect(clock.waiting).toBe(0);
  });
});
