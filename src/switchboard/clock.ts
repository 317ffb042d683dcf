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

/** Resolves with the promise, after `ms`, or when the signal aborts (at once when it has), whichever is first. */
export async function within(promise: Promise<unknown>, ms: number, clock: Clock, signal?: AbortSignal): Promise<void> {
  // An abort that has been is not told to who listens for it now.
  if (signal?.aborted) return;
  let cancel = (): void => undefined;
  let stopListening = (): void => undefined;
  const over = new Promise<void>((resolve) => {
    cancel = clock.setTimer(resolve, ms);
    const onAbort = (): void => resolve();
    signal?.addEventListener('abort', onAbort, { once: true });
    stopListening = () => signal?.removeEventListener('abort', onAbort);
  });
  try {
    await Promise.race([promise, over]);
  } finally {
    cancel();
    stopListening();
  }
}
