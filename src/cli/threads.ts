import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';

/** Of 19 at most: what runs behind the calls still gets a tenth of a core that is full. */
const NICENESS = 10;

/**
 * Lets the event loop, and with it every call's audio, go before the other threads of this process (the store's, the garbage
 * collector's, the compiler's) where they have to share a core. Linux alone has a niceness for each thread (sched(7)); elsewhere nothing
 * happens. To be called once those threads are there.
 */
export function letCallsGoFirst(): void {
  let threads: readonly string[] = [];
  try {
    threads = readdirSync('/proc/self/task');
  } catch {
    return;
  }
  for (const thread of threads) {
    if (Number(thread) !== process.pid) makeNice(Number(thread));
  }
}

function makeNice(thread: number): void {
  try {
    setPriority(thread, NICENESS);
  } catch {
    // It has ended meanwhile, or may not be touched here.
  }
}
