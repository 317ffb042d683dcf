import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Both halves of the young generation. What lives in it is copied at each collection, whatever its size. */
const YOUNG_BYTES = 32 * 1024 * 1024;

/**
 * Keeps the garbage collector's pauses short and rare in a server with live calls. Frames of audio die young, and V8 by itself lets
 * the young generation grow to 128 MB; each time it is half full the old one is collected then as well, with a pause of 10 to
 * 20 ms about once a second at 200 calls. To be called once, before the load. The flag is V8's ("flag-definitions.h"); were it no
 * longer known, that would be a line on stderr, no more.
 */
export function keepPausesShort(): void {
  // It has to grow first: how large it may become is settled when the process starts, and cannot be set from within.
  const observer = new PerformanceObserver(() => {
    const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
    if (young && young.space_size < YOUNG_BYTES) return;
    setFlagsFromString('--semi-space-growth-factor=1');
    observer.disconnect();
  });
  observer.observe({ entryTypes: ['gc'] });
}
