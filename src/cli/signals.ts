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
