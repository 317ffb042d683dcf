import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Both halves of the young generation. What lives in it is copied at each collection, whatever its size. */
const YOUNG_BYTES = 32 * 1024 * 1024;
/** The old generation is collected when it has grown by so much, in per cent of what lived after the last time. */
const OLD_GROWTH_PERCENT = 100;

/**
 * Keeps the garbage collector's pauses short and rare in a server with live calls. Frames of audio die young, and V8's own rules,
 * made for other loads, then let the young generation grow to 128 MB and collect the old one with every second filling: pauses
 * of 10 ms and more, once a second at 200 calls. To be called once, before the load. The flags are V8's ("flag-definitions.h");
 * one that a later V8 no longer knows is a line on stderr, no more.
 */
export function keepPausesShort(): void {
  setFlagsFromString(`--heap-growing-percent=${OLD_GROWTH_PERCENT}`);
  // It has to grow first: how large it may become is settled when the process starts, and cannot be set from within.
  const observer = new PerformanceObserver(() => {
    const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
    if (young && young.space_size < YOUNG_BYTES) return;
    setFlagsFromString('--semi-space-growth-factor=1');
    observer.disconnect();
  });
  observer.observe({ entryTypes: ['gc'] });
}
