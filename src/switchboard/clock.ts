/** Time, passed in: `now` is monotonic milliseconds, `wall` is milliseconds since 1970. */
export interface Clock {
  now(): number;
  wall(): number;
  /** Calls `fire` once after `delayMs`; the answer cancels it. */
  setTimer(fire: () => void, delayMs: number): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimer(fire, delayMs) {
    const timer = setTimeout(fire, Math.min(Math.max(0, delayMs), 2_147_483_647));
    return () => clearTimeout(timer);
  },
};
