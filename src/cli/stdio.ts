import { compose } from '../compose.ts';
import { processSources, readConfig } from '../config/config.ts';
import { serveStdio } from '../mcp/stdio.ts';
import { createLogger } from './log.ts';
import { stopSignal, surviveMistakes } from './signals.ts';
import { VERSION } from './version.ts';

/** How long live calls get for their goodbye when the client leaves or the server is stopped. */
const DRAIN_MS = 10_000;

/** Serves one MCP client until it leaves or a signal comes; then live calls are ended and their transcripts stored. */
export async function run(): Promise<number> {
  const reading = readConfig(processSources());
  const logger = createLogger(reading.config);
  surviveMistakes(logger);
  const signalled = stopSignal();
  const app = compose({ reading, logger });
  const session = await serveStdio({
    switchboard: app.switchboard,
    version: VERSION,
    logger,
    status: () => app.status(),
  });
  const why = await Promise.race([session.closed, signalled]);
  logger.info({ why }, 'stopping');
  await app.stop(DRAIN_MS);
  await session.close();
  return 0;
}
