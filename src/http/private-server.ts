/** The private listener: figures, readiness, and whatever else is for the operator's own machines. Never behind the public proxy. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type express from 'express';
import type { Handler } from 'express';
import { type Access, permits, type Scope, scopeRefusal } from '../config/access.ts';
import { isLoopback } from '../config/kinds.ts';
import { ConfigError } from '../errors.ts';
import { answerTheRest, type HttpLog, newApp } from './app.ts';
import { Door, type DoorOptions } from './door.ts';
import { createListener, type Listener } from './listener.ts';
import type { Metrics, MetricsOptions } from './metrics.ts';
import { type OAuthSettings, resourceMetadata } from './oauth.ts';
import { type AddressRules, corsHeaders, mayComeFrom, mayNameHost, PREFLIGHT_HEADERS } from './origins.ts';
import { limitStrangers } from './strangers.ts';

export interface PrivateServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly door: Omit<DoorOptions, 'logger' | 'metadataUrl'>;
  readonly addresses: Omit<AddressRules, 'needsToken' | 'mcpHost'>;
  readonly routes: readonly PrivateRoute[];
  readonly logger?: HttpLog;
  /** How long a client may take to send its headers, and its whole request. */
  readonly headersTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  /** How long a connection may stand still; a route that streams sends something now and then. */
  readonly stallTimeoutMs?: number;
  /** Most connections at the same time that have not been let in. */
  readonly maxStrangers?: number;
  readonly stopTimeoutMs?: number;
}

type Method = 'GET' | 'POST' | 'DELETE';

/** A route as plain data. `handle` writes its answer itself, so that one which streams fits as well; what it throws is answered for it. */
export interface PrivateRoute {
  readonly methods: readonly Method[];
  /** Literal; one trailing slash does not count. */
  readonly path: string;
  /** What one must be allowed; `any` for whoever is let in at all, `open` for everybody. */
  readonly scope: Scope | 'any' | 'open';
  handle(request: IncomingMessage, response: ServerResponse, access: Access): Promise<void> | void;
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
const FOREIGN_HOST =
  'This listener does not answer to that name. Add it to MCP_ALLOWED_HOSTS, or use the address of MCP_HOST; without a token only localhost is answered.';
const FOREIGN_ORIGIN = 'Pages of that origin may not use this listener. Add it to MCP_ALLOWED_ORIGINS if they should.';
const ANYBODY: Access = { name: 'anybody', scopes: new Set() };
const METADATA_PATH = '/.well-known/oauth-protected-resource';

/** `start` rejects with a ConfigError also when other machines could reach the address and there is no token. */
export function createPrivateServer(options: PrivateServerOptions): Listener {
  const { host } = options;
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
  const { oauth } = options.door;
  const metadataUrl = oauth?.resource ? `${new URL(oauth.resource).origin}${METADATA_PATH}` : null;
  const door = new Door({ ...options.door, metadataUrl, logger });
  const rules: AddressRules = { ...options.addresses, mcpHost: host, needsToken: door.needsToken };
  app.use(onlyByName(rules), withoutAddressToken);
  const routes = [...options.routes, ...metadataRoutes(oauth)];
  const open = routes.filter(({ scope }) => scope === 'open');
  const closed = routes.filter(({ scope }) => scope !== 'open');
  addRoutes(app, open, () => ANYBODY);
  const accesses = new WeakMap<IncomingMessage, Access>();
  app.use((request, response, next) => {
    const verdict = door.judge(request, addressTokenOf(request));
    verdict.then((known) => {
      if (known.kind === 'out') {
        response.status(known.status).set(known.headers).json({ error: known.message });
        return;
      }
      accesses.set(request, known.access);
      isKnown(request.socket);
      next();
    }, next);
  });
  addRoutes(app, closed, (request) => accesses.get(request) ?? ANYBODY);
  answerTheRest(app, logger);
  server.on('error', (err) => {
    if (server.listening) logger.warn({ err }, 'The private listener reported an error');
  });
  const listener = createListener(server, { ...options, settings: { host: 'MCP_HOST', port: 'MCP_PORT' } });
  return {
    start: async () => {
      if (door.needsToken || isLoopback(host)) return listener.start();
      throw new ConfigError(
        `Other machines can reach ${host}, so the private listener needs a token there. Set MCP_AUTH_TOKEN, or leave MCP_HOST at 127.0.0.1.`,
        { settings: ['MCP_HOST', 'MCP_AUTH_TOKEN'] },
      );
    },
    stop: () => listener.stop(),
  };
}

/** The tokens that were shown in addresses, which stand there no more. */
const addressTokens = new WeakMap<IncomingMessage, string>();

/** What `?token=` of the address was; a log or an error that repeats the address does not repeat it. */
export function addressTokenOf(request: IncomingMessage): string | null {
  return addressTokens.get(request) ?? null;
}

const withoutAddressToken: Handler = (request, _response, next) => {
  const at = request.url.indexOf('?');
  const fields = new URLSearchParams(at < 0 ? '' : request.url.slice(at + 1));
  const token = fields.get('token');
  if (token !== null) {
    fields.delete('token');
    request.url = request.url.slice(0, at) + (fields.size === 0 ? '' : `?${fields}`);
    request.originalUrl = request.url;
    addressTokens.set(request, token);
  }
  next();
};

function onlyByName(rules: AddressRules): Handler {
  return (request, response, next) => {
    const { host, origin } = request.headers;
    if (!mayNameHost(rules, host)) return void response.status(403).json({ error: FOREIGN_HOST });
    if (!mayComeFrom(rules, origin)) return void response.status(403).json({ error: FOREIGN_ORIGIN });
    const cors = corsHeaders(rules, origin);
    response.set(cors);
    // A browser asks before it shows any token.
    if (request.method !== 'OPTIONS') return next();
    const allowed = cors['access-control-allow-origin'] === undefined ? {} : PREFLIGHT_HEADERS;
    response.status(204).set(allowed).end();
  };
}

function addRoutes(
  app: express.Express,
  routes: readonly PrivateRoute[],
  accessOf: (request: express.Request) => Access,
): void {
  for (const { methods, path, scope, handle } of routes) {
    app.all(path, async (request, response) => {
      const method = request.method === 'HEAD' ? 'GET' : request.method;
      if (!methods.some((one) => one === method)) {
        const allow = [...methods, 'OPTIONS'].join(', ');
        response
          .status(405)
          .set('allow', allow)
          .json({ error: `Use ${methods.join(' or ')} here.` });
        return;
      }
      const access = accessOf(request);
      if (scope === 'any' || scope === 'open' || permits(access, scope)) return handle(request, response, access);
      const { message, challenge } = scopeRefusal(scope);
      response.status(403).set('www-authenticate', challenge).json({ error: message });
    });
  }
}

function metadataRoutes(oauth: OAuthSettings | null): readonly PrivateRoute[] {
  const metadata = oauth === null ? null : resourceMetadata(oauth);
  if (metadata === null) return [];
  return [METADATA_PATH, `${METADATA_PATH}/mcp`].map((path) => ({
    methods: ['GET'],
    path,
    scope: 'open',
    handle: (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'public, max-age=300' });
      response.end(JSON.stringify(metadata));
    },
  }));
}

/** The library behind the figures takes a while to load, so that only a server which is asked for them does. */
export async function openMetrics(options: MetricsOptions): Promise<Metrics> {
  return (await import('./metrics.ts')).createMetrics(options);
}

/** `GET /metrics`. */
export function metricsRoute(metrics: Metrics): PrivateRoute {
  return {
    methods: ['GET'],
    path: '/metrics',
    scope: 'calls:read',
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
    methods: ['GET'],
    path: '/ready',
    scope: 'calls:read',
    handle: (_request, response) => {
      const { reasons, liveCalls, simulated } = look();
      const ready = reasons.length === 0;
      const body = { status: ready ? 'ready' : 'not-ready', reasons, liveCalls, simulated };
      response.writeHead(ready ? 200 : 503, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(JSON.stringify(body));
    },
  };
}
