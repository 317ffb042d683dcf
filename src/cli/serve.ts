import { parseArgs } from 'node:util';
import type { Address, App } from '../app.ts';
import { complaintsError, processSources, readConfig } from '../config/config.ts';
import { keepPausesShort } from './heap.ts';
import { createLogger } from './log.ts';
import { stopSignal, surviveMistakes } from './signals.ts';
import { Telephone } from './telephone.ts';

/**
 * Serves without a client of its own, until a signal comes: the public listener, and the private one. Says on stderr where they are.
 * Settings that cannot be read end it at once; what is missing, taken or locked is tried again, and `/ready` says so meanwhile.
 */
export async function run(words: readonly string[]): Promise<number> {
  parseArgs({ args: [...words], options: {} });
  const reading = readConfig(processSources());
  if (reading.complaints.length > 0) throw complaintsError(reading.complaints);
  const logger = createLogger(reading.config);
  surviveMistakes(logger);
  keepPausesShort();
  const signalled = stopSignal();
  const telephone = new Telephone({ reading, logger, kind: 'serve', privateListener: true });
  void telephone.app.started.then(() => announce(telephone.app));
  const why = await signalled;
  logger.info({ why }, 'stopping');
  await telephone.stop();
  return 0;
}

function announce(app: App): void {
  const { public: outer, private: inner } = app.listening();
  const lines = [
    outer && `webhooks and audio at ${urlOf(outer)}; this is the address for the proxy or tunnel.`,
    inner &&
      `MCP at ${urlOf(inner)}/mcp (older clients: /sse), figures at ${urlOf(inner)}/metrics, readiness at ${urlOf(inner)}/ready; keep this one private.`,
    ...new Set([...app.status(), ...app.readiness()]),
  ];
  for (const line of lines) if (line) process.stderr.write(`switchboard: ${line.replaceAll('\n', ' ')}\n`);
}

function urlOf({ host, port }: Address): string {
  return `http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
}
