import { processSources, readConfig } from '../config/config.ts';
import { keptApart } from '../config/simulated.ts';
import { offerOf } from '../mcp/offer.ts';
import { Ownership } from '../mcp/relay/ownership.ts';
import { relayClient } from '../mcp/relay/relay.ts';
import { digestsOf } from '../mcp/relay/shared-settings.ts';
import { claimStdout } from '../mcp/stdout.ts';
import { type OwnerLock, tryOwnerLock } from '../store/sqlite/owner-lock.ts';
import { VERSION } from '../version.ts';
import { keepPausesShort } from './heap.ts';
import { createLogger } from './log.ts';
import { patience, stopSignal, surviveMistakes } from './signals.ts';
import { Telephone } from './telephone.ts';

/**
 * Serves one MCP client until it leaves or a signal comes: through the process that owns the telephone of the data folder, which is
 * this one when there is no other. Resolves with the exit code.
 */
export async function run(): Promise<number> {
  const reading = readConfig(processSources());
  const { config } = reading;
  const logger = createLogger(config);
  surviveMistakes(logger);
  keepPausesShort();
  // The process that owns the telephone knows that they are there, and not what they are.
  for (const { message } of reading.complaints) logger.warn({}, message);
  const signalled = stopSignal();
  let telephone: Telephone | null = null;
  const { dataDir } = keptApart(config);
  const ownership = new Ownership<OwnerLock>({
    dataDir,
    version: VERSION,
    offer: offerOf(reading),
    digests: (token) => digestsOf(reading, token),
    tryLock: () => tryOwnerLock(dataDir),
    own: (lock) => {
      telephone = new Telephone({ reading, logger, kind: 'stdio', privateListener: config.privateListener }, lock);
      return telephone.serveHere();
    },
    logger,
  });
  const relay = relayClient({
    input: process.stdin,
    output: claimStdout(),
    connect: (signal) => ownership.connect(signal),
    trouble: () => ownership.trouble(),
    logger,
  });
  const gone = relay.closed.then((why) => ({ why, hurry: patience(signalled) }));
  const { why, hurry } = await Promise.race([gone, signalled.then((name) => ({ why: name, hurry: undefined }))]);
  logger.info({ why }, 'stopping');
  // Assigned in a callback, which the compiler does not see.
  const owner = (): Telephone | null => telephone;
  if (owner() === null && hurry !== undefined) await relay.answered();
  const own = owner();
  // With nothing in between it cannot become the owner any more.
  if (own !== null) await own.stop(hurry);
  await relay.close();
  return 0;
}
