/**
 * The fixtures as a process, behind the product's own wiring: the edge of MCP over HTTP, its routes, and the private listener in front
 * of them. Says on stdout where it listens.
 */
import { readText } from '../../src/http/body.ts';
import { addressTokenOf, createPrivateServer } from '../../src/http/private-server.ts';
import { createMcpHttp } from '../../src/mcp/http.ts';
import { mcpRoutes } from '../../src/private-listener.ts';
import { createFixtureServer } from './fixtures.ts';

const mcp = createMcpHttp({
  newServer: createFixtureServer,
  scopeOf: () => null,
  readBody: (request) => readText(request, 1024 * 1024),
  addressToken: addressTokenOf,
  basePath: '',
  logger: { debug: () => undefined },
});
const listener = createPrivateServer({
  host: '127.0.0.1',
  port: 0,
  door: { authToken: null, tokensFile: null, allowQueryToken: false, oauth: null, requestsPerMinute: 10_000 },
  addresses: { mcpUrl: null, allowedHosts: [], allowedOrigins: [] },
  routes: mcpRoutes(mcp),
});
const { port } = await listener.start();
process.stdout.write(`${port}\n`);
process.once('SIGTERM', async () => {
  await mcp.close();
  await listener.stop();
});
