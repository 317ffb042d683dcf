import { processSources, readConfig } from '../config/config.ts';
import { serveStdio } from '../mcp/stdio.ts';
import { runServer } from './server.ts';
import { VERSION } from './version.ts';

/** Serves one MCP client until it leaves or a signal comes. */
export function run(): Promise<number> {
  const reading = readConfig(processSources());
  return runServer({
    reading,
    privateListener: reading.config.privateListener,
    meet: async (app, logger) => {
      const { switchboard } = app;
      const session = await serveStdio({ switchboard, version: VERSION, logger, status: () => app.status() });
      return { gone: session.closed, close: () => session.close() };
    },
  });
}
