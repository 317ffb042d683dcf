/** The private listener with everything that is on it: MCP for clients that come over HTTP, figures, readiness. */
import type { Config } from './config/config.ts';
import { readText } from './http/body.ts';
import type { Listener } from './http/listener.ts';
import type { Metrics } from './http/metrics.ts';
import {
  addressTokenOf,
  createPrivateServer,
  metricsRoute,
  type PrivateRoute,
  type Readiness,
  readyRoute,
} from './http/private-server.ts';
import type { McpHttp } from './mcp/http.ts';
import type { Offer } from './mcp/offer.ts';
import type { McpServerOptions } from './mcp/server.ts';
import type { Logger } from './switchboard/logger.ts';

export interface PrivateListenerOptions {
  readonly config: Config;
  readonly offer: Offer;
  readonly metrics: Metrics;
  readonly readiness: () => Readiness;
  /** What each client's server gets. */
  readonly mcp: Omit<McpServerOptions, 'session'>;
  readonly logger: Logger;
}

/** As much as a line on stdin may have. */
const MOST_BYTES = 1024 * 1024;

export async function createPrivateListener(options: PrivateListenerOptions): Promise<Listener> {
  const { config, metrics, readiness, logger } = options;
  const mcp = await openMcp(options);
  const { oauthIssuer: issuer, oauthAudience: audience, oauthJwksUrl: jwksUrl } = config;
  const listener = createPrivateServer({
    host: config.mcpHost,
    port: config.mcpPort,
    door: {
      authToken: config.mcpAuthToken,
      tokensFile: config.mcpTokensFile,
      allowQueryToken: config.mcpAllowQueryToken,
      oauth: issuer === null || audience === null ? null : { issuer, audience, resource: resourceOf(config), jwksUrl },
      requestsPerMinute: config.mcpRequestsPerMinute,
    },
    addresses: {
      mcpUrl: config.mcpUrl,
      allowedHosts: config.mcpAllowedHosts,
      allowedOrigins: config.mcpAllowedOrigins,
    },
    routes: [...mcpRoutes(mcp), metricsRoute(metrics), readyRoute(readiness)],
    logger,
  });
  return {
    start: () => listener.start(),
    stop: async () => {
      await mcp.close();
      await listener.stop();
    },
  };
}

/** Where clients reach `/mcp`: an audience that is an address may be meant as that. */
function resourceOf({ mcpUrl, oauthAudience }: Config): string | null {
  if (mcpUrl !== null) return `${mcpUrl}/mcp`;
  return oauthAudience !== null && /^https?:\/\//.test(oauthAudience) ? oauthAudience : null;
}

/** The SDK behind it takes a while to load. */
async function openMcp({ config, offer, mcp, logger }: PrivateListenerOptions): Promise<McpHttp> {
  const [{ createMcpHttp }, { createMcpServer, scopeOfRequest }] = await Promise.all([
    import('./mcp/http.ts'),
    import('./mcp/server.ts'),
  ]);
  return createMcpHttp({
    newServer: ({ access, transport }) => createMcpServer({ ...mcp, session: { access, transport, offer } }),
    scopeOf: scopeOfRequest,
    readBody: (request) => readText(request, MOST_BYTES),
    addressToken: addressTokenOf,
    basePath: config.mcpUrl === null ? '' : new URL(config.mcpUrl).pathname.replace(/\/+$/, ''),
    logger,
  });
}

/** What each request of MCP needs is settled request by request. */
export function mcpRoutes(mcp: McpHttp): readonly PrivateRoute[] {
  return [
    {
      methods: ['GET', 'POST', 'DELETE'],
      path: '/mcp',
      scope: 'any',
      handle: (request, response, access) => mcp.streamable(request, response, access),
    },
    {
      methods: ['GET'],
      path: '/sse',
      scope: 'any',
      handle: (request, response, access) => mcp.sse(request, response, access),
    },
    {
      methods: ['POST'],
      path: '/messages',
      scope: 'any',
      handle: (request, response, access) => mcp.messages(request, response, access),
    },
  ];
}
