import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';

const WINDOW_MS = 60_000;
const MOST_IN_WINDOW = 60;

/**
 * A log for what strangers can cause: of lines that say the same (by level and message) only so many are written in a minute, so
 * that nobody fills the disk by knocking. The last one before the silence says so, and the next one after it how many were left out.
 */
export function calmLogger(logger: Logger, clock: Clock, mostInWindow = MOST_IN_WINDOW): Logger {
  const kinds = new Map<string, { sinceMs: number; count: number }>();

  const calm =
    (level: keyof Logger) =>
    (fields: Readonly<Record<string, unknown>>, message: string): void => {
      const key = `${level} ${message}`;
      const nowMs = clock.now();
      const kind = kinds.get(key);
      if (kind === undefined || nowMs - kind.sinceMs >= WINDOW_MS) {
        const leftOut = Math.max(0, (kind?.count ?? 0) - mostInWindow);
        kinds.set(key, { sinceMs: nowMs, count: 1 });
        logger[level](leftOut === 0 ? fields : { ...fields, leftOut }, message);
        return;
      }
      kind.count += 1;
      if (kind.count > mostInWindow) return;
      logger[level](kind.count === mostInWindow ? { ...fields, silentForMs: WINDOW_MS } : fields, message);
    };

  return { debug: calm('debug'), info: calm('info'), warn: calm('warn'), error: calm('error') };
}
