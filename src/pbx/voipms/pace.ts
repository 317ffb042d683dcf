/** How fast the API is asked: VoIP.ms refuses more than so many requests in a minute and does not publish how many. */
import { UpstreamError } from '../../errors.ts';
import type { VoipMsClock } from './operations.ts';

const MOST_AT_ONCE = 2;
const SPACING_MS = 100;

export interface Pace {
  /** Runs `work` when it is its turn. Rejects with an UpstreamError when closed before that. */
  run<T>(work: () => Promise<T>): Promise<T>;
  pause(ms: number): Promise<void>;
  close(): void;
}

interface Turn {
  readonly begin: () => void;
  readonly refuse: (reason: UpstreamError) => void;
}

export function createPace(clock: VoipMsClock): Pace {
  const waiting: Turn[] = [];
  /** Ends each pause at once. */
  const pauses = new Set<() => void>();
  let running = 0;
  let isClosed = false;
  let nextAtMs = clock.now();
  let isTimed = false;

  function next(): void {
    if (isTimed || running >= MOST_AT_ONCE || waiting.length === 0) return;
    const waitMs = nextAtMs - clock.now();
    if (waitMs > 0) {
      isTimed = true;
      clock.setTimer(() => {
        isTimed = false;
        next();
      }, waitMs);
      return;
    }
    running += 1;
    nextAtMs = clock.now() + SPACING_MS;
    waiting.shift()?.begin();
    next();
  }

  const turn = (): Promise<void> =>
    new Promise((begin, refuse) => {
      if (isClosed) return refuse(closed());
      waiting.push({ begin, refuse });
      next();
    });

  return {
    run: async (work) => {
      await turn();
      try {
        return await work();
      } finally {
        running -= 1;
        next();
      }
    },
    pause: (ms) =>
      new Promise((resolve) => {
        if (isClosed) return resolve();
        const end = () => {
          cancel();
          pauses.delete(end);
          resolve();
        };
        const cancel = clock.setTimer(end, ms);
        pauses.add(end);
      }),
    close: () => {
      isClosed = true;
      for (const { refuse } of waiting.splice(0)) refuse(closed());
      for (const end of [...pauses]) end();
    },
  };
}

/** Many reads for one answer, in their order. Once one has failed no more are begun: they would be in vain, and are counted by the minute. */
export async function eachOf<Item, Result>(
  items: readonly Item[],
  read: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const left = items.entries();
  let isFailed = false;
  const work = async (): Promise<void> => {
    for (const [index, item] of left) {
      if (isFailed) return;
      try {
        results[index] = await read(item);
      } catch (error) {
        isFailed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: MOST_AT_ONCE }, work));
  return results;
}

function closed(): UpstreamError {
  return new UpstreamError('VoIP.ms is no longer asked, as Switchboard is stopping.', { retryable: false });
}
