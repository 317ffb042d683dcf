/** A call makes a dozen events within milliseconds; one notice is enough, and a busy telephone system is not asked all the time. */
const CALM_MS = 250;

export interface Notices<List> {
  note(list: List): void;
  /** What was noted last is not told any more. */
  stop(): void;
}

/** Tells of each list that was noted, at most once in `CALM_MS`. */
export function createNotices<List>(
  clock: { setTimer(fire: () => void, delayMs: number): () => void },
  changed: (list: List) => void,
): Notices<List> {
  const waiting = new Map<List, () => void>();
  return {
    note(list) {
      if (waiting.has(list)) return;
      const cancel = clock.setTimer(() => {
        waiting.delete(list);
        changed(list);
      }, CALM_MS);
      waiting.set(list, cancel);
    },
    stop() {
      for (const cancel of waiting.values()) cancel();
      waiting.clear();
    },
  };
}
