import type { TimerName } from '../call/events.ts';
import type { Clock } from './clock.ts';

/** The timers of one call. A timer that is put off, as most are with every piece of audio, costs no timer of the runtime. */
export interface Timers {
  /** Replaces the timer of the same name. */
  set(name: TimerName, atMs: number, setId: number): void;
  clear(name: TimerName): void;
  clearAll(): void;
}

interface Running {
  atMs: number;
  setId: number;
  /** When the runtime's timer fires: at `atMs`, or before it, to look again. */
  readonly wakesAtMs: number;
  readonly cancel: () => void;
}

/** `fire` is told the moment that the timer was set to, or a later one, and never an earlier one. */
export function createTimers(clock: Clock, fire: (name: TimerName, setId: number, atMs: number) => void): Timers {
  const running = new Map<TimerName, Running>();

  function arm(name: TimerName, atMs: number, setId: number): void {
    const cancel = clock.setTimer(() => wake(name), atMs - clock.now());
    running.set(name, { atMs, setId, wakesAtMs: atMs, cancel });
  }

  function wake(name: TimerName): void {
    const timer = running.get(name);
    if (!timer) return;
    if (timer.atMs > timer.wakesAtMs) return arm(name, timer.atMs, timer.setId);
    running.delete(name);
    // The runtime's timers may fire a fraction of a millisecond early.
    fire(name, timer.setId, Math.max(timer.atMs, clock.now()));
  }

  function clear(name: TimerName): void {
    running.get(name)?.cancel();
    running.delete(name);
  }

  return {
    set(name, atMs, setId) {
      const timer = running.get(name);
      if (timer && timer.wakesAtMs <= atMs) {
        timer.atMs = atMs;
        timer.setId = setId;
        return;
      }
      clear(name);
      arm(name, atMs, setId);
    },
    clear,
    clearAll() {
      for (const name of [...running.keys()]) clear(name);
    },
  };
}
