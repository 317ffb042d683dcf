/** What a process of the bench costs, told by itself. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface ProcessUsage {
  /** User and system time of all threads since the process began. */
  readonly cpuMs: number;
  readonly atMs: number;
  readonly rssBytes: number;
  /** Live objects, and buffers outside the heap, after a collection when `collect` was asked for. */
  readonly heapBytes: number;
  readonly loopDelayP50Ms: number;
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
  /** What keeps the process busy, by kind: sockets, timers, handles. */
  readonly resources: Readonly<Record<string, number>>;
}

/** Asks with `collect` for memory, without it for cost: a collection costs some milliseconds. */
export function usageMeter(): (order: { readonly collect: boolean }) => ProcessUsage {
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  return ({ collect }) => {
    const collectGarbage = (globalThis as { gc?: () => void }).gc;
    if (collect) collectGarbage?.();
    const memory = process.memoryUsage();
    const cpu = process.cpuUsage();
    const usage: ProcessUsage = {
      cpuMs: (cpu.user + cpu.system) / 1_000,
      atMs: performance.now(),
      rssBytes: memory.rss,
      heapBytes: memory.heapUsed + memory.external,
      loopDelayP50Ms: delay.percentile(50) / 1e6 - 10,
      loopDelayP99Ms: delay.percentile(99) / 1e6 - 10,
      loopDelayMaxMs: delay.max / 1e6 - 10,
      resources: countByKind(process.getActiveResourcesInfo()),
    };
    delay.reset();
    return usage;
  };
}

function countByKind(kinds: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
