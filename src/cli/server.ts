import { type App, compose } from '../compose.ts';
import type { ConfigReading } from '../config/config.ts';
import type { Logger } from '../switchboard/logger.ts';
import { keepPausesShort } from './heap.ts';
import { createLogger } from './log.ts';
import { stopSignal, surviveMistakes } from './signals.ts';
import { letCallsGoFirst } from './threads.ts';

/** How long live calls get for their goodbye when the client leaves or the server is stopped. */
const DRAIN_MS = 10_000;

/** Whom a server is there for. */
export interface Company {
  /** Resolves with the reason when nobody is there any more. */
  readonly gone: Promise<string>;
  close(): Promise<void>;
}

export interface ServerOptions {
  readonly reading: ConfigReading;
  readonly privateListener: boolean;
  readonly meet: (app: App, logger: Logger) => Promise<Company>;
}

/**
 * Serves until its company has gone or a signal comes; then live calls are ended and their transcripts stored. Resolves with the exit
 * code.
 */
export async function runServer({ reading, privateListener, meet }: ServerOptions): Promise<number> {
  const logger = createLogger(reading.config);
  surviveMistakes(logger);
  keepPausesShort();
  const signalled = stopSignal();
  const app = compose({ reading, logger, privateListener });
  void app.started.then(letCallsGoFirst, letCallsGoFirst);
  const company = await meet(app, logger);
  const why = await Promise.race([company.gone, signalled]);
  logger.info({ why }, 'stopping');
  await app.stop(DRAIN_MS);
  await company.close();
  return 0;
}
