import { parseArgs } from 'node:util';
import type { Address, App } from '../compose.ts';
import { complaintsError, processSources, readConfig } from '../config/config.ts';
import { runServer } from './server.ts';

/**
 * Serves without a client of its own, until a signal comes: the public listener, and the private one. Says on stderr where they are.
 * Settings that cannot be read end it at once; what is missing, taken or locked is tried again, and `/ready` says so meanwhile.
 */
export function run(words: readonly string[]): Promise<number> {
  parseArgs({ args: [...words], options: {} });
  const reading = readConfig(processSources());
  if (reading.complaints.length > 0) throw complaintsError(reading.complaints);
  return runServer({
    reading,
    privateListener: true,
    meet: async (app) => {
      void app.started.then(() => announce(app));
      return { gone: new Promise(() => undefined), close: async () => undefined };
    },
  });
}

function announce(app: App): void {
  const { public: outer, private: inner } = app.listening();
  const lines = [
    outer && `webhooks and audio at ${urlOf(outer)}; this is the address for the proxy or tunnel.`,
    inner && `figures at ${urlOf(inner)}/metrics, readiness at ${urlOf(inner)}/ready; keep this one private.`,
    ...new Set([...app.status(), ...app.readiness()]),
  ];
  for (const line of lines) if (line) process.stderr.write(`switchboard: ${line.replaceAll('\n', ' ')}\n`);
}

function urlOf({ host, port }: Address): string {
  return `http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
}
