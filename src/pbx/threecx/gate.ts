/** So that an assistant in a hurry does not drown the PBX: only some requests at once, and not too many in a second. */
import { UpstreamError } from '../../errors.ts';
import type { CallControlClock } from './call-control.ts';

export interface GateOptions {
  readonly clock: CallControlClock;
  readonly atOnce: number;
  readonly perSecond: number;
}

export interface Gate {
  /** Resolves when it is this one's turn; the answer must be called when it is done. What changes something (`first`) does not wait behind reading. */
  enter(first: boolean): Promise<() => void>;
}

const MOST_WAITING = 500;

export function createGate({ clock, atOnce, perSecond }: GateOptions): Gate {
  const changes: (() => void)[] = [];
  const reads: (() => void)[] = [];
  let inside = 0;
  let tokens = perSecond;
  let filledAtMs = clock.now();
  let isTimed = false;
  const fill = (): void => {
    const nowMs = clock.now();
    tokens = Math.min(perSecond, tokens + ((nowMs - filledAtMs) / 1_000) * perSecond);
    filledAtMs = nowMs;
  };
  const admit = (): void => {
    fill();
    while (inside < atOnce && tokens >= 1) {
      const next = changes.shift() ?? reads.shift();
      if (next === undefined) return;
      inside += 1;
      tokens -= 1;
      next();
    }
    if (isTimed || inside >= atOnce || changes.length + reads.length === 0) return;
    isTimed = true;
    clock.setTimer(
      () => {
        isTimed = false;
        admit();
      },
      ((1 - tokens) / perSecond) * 1_000,
    );
  };
  return {
    enter: (first) =>
      new Promise((resolve, reject) => {
        if (changes.length + reads.length >= MOST_WAITING)
          return reject(
            new UpstreamError('Too many requests wait for 3CX already. Try again in some seconds.', {
              retryable: true,
            }),
          );
        (first ? changes : reads).push(() =>
          resolve(() => {
            inside -= 1;
            admit();
          }),
        );
        admit();
      }),
  };
}
