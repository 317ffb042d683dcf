/** The private listener: figures, readiness, and whatever else is for the operator's own machines. Never behind the public proxy. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Handler } from 'express';
import { isLoopback } from '../config/kinds.ts';
import { ConfigError } from '../errors.ts';
import { answerTheRest, type HttpLog, newApp } from './app.ts';
import { createListener, type Listener } from './listener.ts';
import type { Metrics, MetricsOptions } from './metrics.ts';
import { limitStrangers } from './strangers.ts';

export interface PrivateServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** What every request must show as `Authorization: Bearer`; null lets everybody on this machine in, and nobody else. */
  readonly authToken: string | null;
  readonly routes: readonly PrivateRoute[];
  readonly logger?: HttpLog;
  /** How long a client may take to send its headers, and its whole request. */
  readonly headersTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  /** How long a connection may stand still; a route that streams sets its own on the request's socket. */
  readonly stallTimeoutMs?: number;
  /** Most connections at the same time that have not been let in. */
  readonly maxStrangers?: number;
  readonly stopTimeoutMs?: number;
}

/** A route as plain data. `handle` writes its answer itself, so that one which streams fits as well; what it throws is answered for it. */
export interface PrivateRoute {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Literal; one trailing slash does not count. */
  readonly path: string;
  handle(request: IncomingMessage, response: ServerResponse): Promise<void> | void;
}

export interface Readiness {
  /** Why no call can be placed, in sentences without secrets; empty when one can. */
  readonly reasons: readonly string[];
  readonly liveCalls: number;
  readonly simulated: boolean;
}

/** They must not take the file descriptors that calls need. */
const MAX_STRANGERS = 100;
const SILENT: HttpLog = { warn: () => undefined, error: () => undefined };
const UNAUTHORIZED = 'Show the token of MCP_AUTH_TOKEN as Authorization: Bearer.';
const FOREIGN = 'Without a token this listener answers only programs of this machine that address it as such.';

/** `start` rejects with a ConfigError also when other machines could reach the address and there is no token. */
export function createPrivateServer(options: PrivateServerOptions): Listener {
  const { host, authToken } = options;
  const logger = options.logger ?? SILENT;
  const app = newApp();
  const headersTimeout = options.headersTimeoutMs ?? 10_000;
  const server = createServer(
    {
      headersTimeout,
      requestTimeout: options.requestTimeoutMs ?? 15_000,
      connectionsCheckingInterval: Math.min(headersTimeout, 5_000),
      maxHeaderSize: 16 * 1024,
    },
    app,
  );
  server.setTimeout(options.stallTimeoutMs ?? 30_000);
  const isKnown = limitStrangers(server, options.maxStrangers ?? MAX_STRANGERS);
  app.use(authToken === null ? onlyThisMachine : onlyWithToken(authToken));
  app.use((request, _response, next) => {
    isKnown(request.socket);
    next();
  });
  for (const { method, path, handle } of options.routes) {
    const answer: Handler = (request, response) => handle(request, response);
    if (method === 'GET') app.get(path, answer);
    else if (method === 'POST') app.post(path, answer);
    else app.delete(path, answer);
  }
  answerTheRest(app, logger);
  server.on('error', (err) => {
    if (server.listening) logger.warn({ err }, 'The private listener reported an error');
  });
  const listener = createListener(server, { ...options, settings: { host: 'MCP_HOST', port: 'MCP_PORT' } });
  return {
    start: async () => {
      if (authToken !== null || isLoopback(host)) return listener.start();
      throw new ConfigError(
        `Other machines can reach ${host}, so the private listener needs a token there. Set MCP_AUTH_TOKEN, or leave MCP_HOST at 127.0.0.1.`,
        { settings: ['MCP_HOST', 'MCP_AUTH_TOKEN'] },
      );
    },
    stop: () => listener.stop(),
  };
}

/** The library behind the figures takes a while to load, so that only a server which is asked for them does. */
export async function openMetrics(options: MetricsOptions): Promise<Metrics> {
  return (await import('./metrics.ts')).createMetrics(options);
}

/** `GET /metrics`. */
export function metricsRoute(metrics: Metrics): PrivateRoute {
  return {
    method: 'GET',
    path: '/metrics',
    handle: async (_request, response) => {
      const text = await metrics.text();
      response.writeHead(200, { 'content-type': metrics.contentType, 'cache-control': 'no-store' });
      response.end(text);
    },
  };
}

/** `GET /ready`: 200 when a call can be placed, else 503 with what stands in the way. */
export function readyRoute(look: () => Readiness): PrivateRoute {
  return {
    method: 'GET',
    path: '/ready',
    handle: (_request, response) => {
      const { reasons, liveCalls, simulated } = look();
      const ready = reasons.length === 0;
      const body = { status: ready ? 'ready' : 'not-ready', reasons, liveCalls, simulated };
      response.writeHead(ready ? 200 : 503, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(JSON.stringify(body));
    },
  };
}

/**
 * A web page may send requests to this machine too. By its own name, which it had made to lead here (DNS rebinding), or under
 * ours, then with an `Origin` that tells where it is from (Fetch standard).
 */
const onlyThisMachine: Handler = (request, response, next) => {
  const { host, origin } = request.headers;
  if (isOurs(`http://${host ?? ''}`) && (origin === undefined || isOurs(origin))) return next();
  response.status(403).json({ error: FOREIGN });
};

function isOurs(url: string): boolean {
  return URL.canParse(url) && isLoopback(new URL(url).hostname);
}

/** The digests are compared, since a comparison in constant time needs equal lengths. */
function onlyWithToken(token: string): Handler {
  const wanted = digest(token);
  return (request, response, next) => {
    const shown = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (shown !== undefined && timingSafeEqual(digest(shown), wanted)) return next();
    response.set('www-authenticate', 'Bearer realm="switchboard"').status(401).json({ error: UNAUTHORIZED });
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
