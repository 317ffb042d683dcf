import { type App, compose } from '../compose.ts';
import type { ConfigReading } from '../config/config.ts';
import type { Logger } from '../switchboard/logger.ts';
import { keepPausesShort } from './heap.ts';
import { createLogger } from './log.ts';
import { stopSignal, surviveMistakes } from './signals.ts';
import { letCallsGoFirst } from './threads.ts';

/** How long live calls get for their goodbye when the client leaves or the server is stopped. */
const DRAIN_MS = 10_000;

/**
 * A client that leaves closes stdin, sends SIGTERM two seconds later and kills after two more (the MCP SDK's stdio client, `close`).
 * Before that every line must be down and every word on disk, so after a signal there is no more time than this for goodbyes.
 */
const IMPATIENT_MS = 2_200;

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
  const gone = company.gone.then((why) => ({ why, hurry: impatience(signalled) }));
  const { why, hurry } = await Promise.race([gone, signalled.then((name) => ({ why: name, hurry: undefined }))]);
  logger.info({ why }, 'stopping');
  await app.stop(DRAIN_MS, hurry);
  await company.close();
  return 0;
}

/** Resolves when a signal has come and some time has passed since now. */
async function impatience(signalled: Promise<string>): Promise<void> {
  const passed = new Promise<void>((resolve) => void setTimeout(resolve, IMPATIENT_MS).unref());
  await Promise.all([signalled, passed]);
}
