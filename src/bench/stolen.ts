/** What other machines on the same hardware took of this one, as the kernel counts it. */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** proc_stat(5) counts in hundredths of a second on every Linux of ours (USER_HZ). */
const TICK_MS = 10;

/** Milliseconds since the start for which a processor had work to do here and was given to another machine; 0 where nobody counts. */
export function stolenMs(read: () => string = () => readFileSync('/proc/stat', 'utf8')): number {
  try {
    // "cpu  user nice system idle iowait irq softirq steal …"
    const [, ...fields] = read().slice(0, 200).split('\n', 1)[0]?.split(/\s+/) ?? [];
    return (Number(fields[7]) || 0) * TICK_MS;
  } catch {
    return 0;
  }
}

/** Of all processors, for so long: 0 to 1. */
export function stolenShare(fromMs: number, toMs: number, seconds: number): number {
  return (toMs - fromMs) / 1_000 / seconds / Math.max(1, cpus().length);
}
