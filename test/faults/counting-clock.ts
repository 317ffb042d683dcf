import { type Clock, systemClock } from '../../src/switchboard/clock.ts';

/** The system's clock, which knows how many timers are set. */
export interface CountingClock extends Clock {
  readonly pending: number;
}

export function countingClock(): CountingClock {
  const pending = new Set<object>();
  return {
    now: systemClock.now,
    wall: systemClock.wall,
    setTimer(fire, delayMs) {
      const entry = {};
      pending.add(entry);
      const cancel = systemClock.setTimer(() => {
        pending.delete(entry);
        fire();
      }, delayMs);
      return () => {
        pending.delete(entry);
        cancel();
      };
    },
    get pending() {
      return pending.size;
    },
  };
}
