/** Resolves with the name of the first signal that asks us to stop. A second one ends the process at once. */
export function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (asked) process.exit(130);
        asked = true;
        resolve(signal);
      });
    }
  });
}

/**
 * The last net: a mistake of ours in one call must not take the others down with it. It is logged, and nothing in the product
 * relies on it.
 */
export function surviveMistakes(logger: { error(fields: object, message: string): void }): void {
  process.on('uncaughtException', (err, origin) =>
    logger.error({ err, origin }, 'a mistake was caught by the last net'),
  );
}

/**
 * A client that leaves closes stdin, sends SIGTERM two seconds later and kills after two more (the MCP SDK's stdio client, `close`).
 * Before that every line must be down and every word on disk, so after a signal there is no more time than this for goodbyes.
 */
const IMPATIENT_MS = 2_200;

/** Resolves when a signal has come and some time has passed since now. */
export async function patience(signalled: Promise<string>): Promise<void> {
  const passed = new Promise<void>((resolve) => void setTimeout(resolve, IMPATIENT_MS).unref());
  await Promise.all([signalled, passed]);
}
