/** The public listener: `/call/*` as the carriers describe it, and `GET /health`. Nothing else is ever answered here. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import express from 'express';
import expressWs from 'express-ws';
import type { WebSocket, WebSocketServer } from 'ws';
import type { MediaSocket, SocketRoute, UpgradeRequest, Webhook } from '../carriers/carrier.ts';
import { ConfigError } from '../errors.ts';
import { httpFailure, NOT_FOUND } from './failure.ts';
import { flatHeaders, matchPath, parseForm, pathOf } from './routes.ts';

export interface HttpLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface PublicServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly webhooks: readonly Webhook[];
  readonly sockets: readonly SocketRoute[];
  /** What only this process can answer for a nonce: a preflight knows by it that the public URL leads here. */
  readonly healthProof: (nonce: string) => string;
  readonly logger?: HttpLog;
  /** How long a client may take to send its headers, and its whole request. */
  readonly headersTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  /** How long `stop` waits for the peers' side of a close. */
  readonly stopTimeoutMs?: number;
}

export interface PublicServer {
  /** Rejects with a ConfigError that names the port when it cannot be had; may then be called again. */
  start(): Promise<{ readonly port: number }>;
  /** Closes the listener, live sockets included, within `stopTimeoutMs`. Never rejects. */
  stop(): Promise<void>;
}

const MAX_FORM_BYTES = 64 * 1024;
const MAX_FRAME_BYTES = 256 * 1024;
const MAX_NONCE_LENGTH = 200;
const SILENT: HttpLog = { warn: () => undefined, error: () => undefined };

export function createPublicServer(options: PublicServerOptions): PublicServer {
  const logger = options.logger ?? SILENT;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.set('query parser', 'simple');
  const server = createServer(
    {
      headersTimeout: options.headersTimeoutMs ?? 10_000,
      requestTimeout: options.requestTimeoutMs ?? 15_000,
      connectionsCheckingInterval: Math.min(options.headersTimeoutMs ?? 10_000, 5_000),
      // Above the usual keep-alive of a proxy in front, or it would send into a connection that we are closing.
      keepAliveTimeout: 75_000,
      maxHeaderSize: 16 * 1024,
    },
    app,
  );
  const webSocketServer = mountSockets(app, server, options.sockets, logger);
  app.get('/health', (request, response) => {
    const nonce = request.query.nonce;
    const known = typeof nonce === 'string' && nonce !== '' && nonce.length <= MAX_NONCE_LENGTH;
    response.set('cache-control', 'no-store');
    response.json(known ? { status: 'ok', proof: options.healthProof(nonce) } : { status: 'ok' });
  });
  for (const webhook of options.webhooks) mountWebhook(app, webhook);
  app.use((_request: express.Request, response: express.Response) => {
    response.status(NOT_FOUND.status).json({ error: NOT_FOUND.message });
  });
  // Express tells an error handler by its four parameters.
  app.use((error: unknown, request: express.Request, response: express.Response, _next: express.NextFunction) => {
    answerFailure(error, request, response, logger);
  });
  return lifecycle(server, webSocketServer, options);
}

function mountWebhook(app: express.Application, webhook: Webhook): void {
  // The path parameter of a wildcard type would be lost here, so it is matched by our own rule, as the sockets are.
  const match = matchPath(webhook.path);
  const readBody = express.text({ type: () => true, limit: MAX_FORM_BYTES, inflate: false, defaultCharset: 'utf-8' });
  const handle: express.RequestHandler = async (request, response, next) => {
    const params = match(request.path);
    if (params === null) return next();
    const isForm = request.is('application/x-www-form-urlencoded') !== false;
    const body: unknown = request.body;
    const reply = await webhook.handle({
      params,
      target: request.originalUrl,
      headers: flatHeaders(request.headers),
      form: parseForm(isForm && typeof body === 'string' ? body : ''),
    });
    response
      .status(reply.status)
      .set('content-type', reply.contentType)
      .set('cache-control', 'no-store')
      .end(reply.body);
  };
  if (webhook.method === 'GET') app.get(webhook.path, readBody, handle);
  else app.post(webhook.path, readBody, handle);
}

function answerFailure(error: unknown, request: express.Request, response: express.Response, logger: HttpLog): void {
  const failure = httpFailure(error);
  // The route's template instead of the path, which carries a token.
  const route: unknown = request.route?.path;
  if (failure.status >= 500) logger.error({ err: error, route }, 'A request failed');
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.status(failure.status).json({ error: failure.message });
}

interface Accepted {
  readonly route: SocketRoute;
  readonly request: UpgradeRequest;
}

/** Who may open a socket is decided before the upgrade; what is accepted there is the only thing that gets a handler. */
function mountSockets(
  app: express.Application,
  server: Server,
  routes: readonly SocketRoute[],
  logger: HttpLog,
): WebSocketServer {
  const matchers = routes.map((route) => ({ route, match: matchPath(route.path) }));
  const accepted = new WeakMap<IncomingMessage, Accepted>();

  const judge = (incoming: IncomingMessage): number => {
    const target = incoming.url ?? '/';
    for (const { route, match } of matchers) {
      const params = match(pathOf(target));
      if (params === null) continue;
      const request: UpgradeRequest = { params, target, headers: flatHeaders(incoming.headers) };
      const verdict = route.authorize(request);
      if (!verdict.accept) return verdict.status;
      accepted.set(incoming, { route, request });
      return 101;
    }
    return NOT_FOUND.status;
  };

  const { app: socketApp, getWss } = expressWs(app, server, {
    leaveRouterUntouched: true,
    wsOptions: {
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
      verifyClient: (info, callback) => {
        let status = 500;
        try {
          status = judge(info.req);
        } catch (error) {
          logger.error({ err: error }, 'A socket route failed to judge an upgrade');
        }
        callback(status === 101, status);
      },
    },
  });
  const webSocketServer = getWss();
  // ws repeats the HTTP server's errors here; without a listener a taken port would end the process.
  webSocketServer.on('error', (error) => logger.warn({ err: error }, 'The public listener reported an error'));
  webSocketServer.prependListener('connection', (socket: WebSocket) => {
    socket.on('error', (error) => logger.warn({ code: codeOf(error) }, 'A socket of a carrier failed'));
  });
  socketApp.ws('/*path', (socket, request) => {
    const found = accepted.get(request);
    if (found === undefined) {
      socket.terminate();
      return;
    }
    try {
      found.route.connect(mediaSocket(socket, logger), found.request);
    } catch (error) {
      logger.error({ err: error, route: found.route.path }, 'A socket route failed');
      socket.close(1011);
    }
  });
  return webSocketServer;
}

function mediaSocket(socket: WebSocket, logger: HttpLog): MediaSocket {
  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      logger.error({ err: error }, 'The handler of a socket failed');
      socket.close(1011);
    }
  };
  return {
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    send: (data) => {
      // The callback keeps a write that fails after a close from being thrown.
      if (socket.readyState === socket.OPEN) socket.send(data, () => undefined);
    },
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
    onMessage: (listener) => {
      socket.on('message', (data, isBinary) => {
        if (Buffer.isBuffer(data)) guarded(() => listener(data, isBinary));
      });
    },
    onClose: (listener) => {
      socket.on('close', (code) => guarded(() => listener(code)));
    },
  };
}

function lifecycle(server: Server, webSocketServer: WebSocketServer, options: PublicServerOptions): PublicServer {
  const connections = new Set<Socket>();
  server.on('connection', (connection: Socket) => {
    connections.add(connection);
    connection.on('close', () => connections.delete(connection));
  });
  return {
    start: () =>
      new Promise((resolve, reject) => {
        const failed = (error: NodeJS.ErrnoException): void => {
          server.off('listening', ready);
          reject(listenFailure(error, options));
        };
        const ready = (): void => {
          server.off('error', failed);
          resolve({ port: (server.address() as AddressInfo).port });
        };
        server.once('error', failed);
        server.once('listening', ready);
        server.listen(options.port, options.host);
      }),
    stop: () =>
      new Promise((resolve) => {
        const deadline = setTimeout(() => {
          for (const connection of connections) connection.destroy();
        }, options.stopTimeoutMs ?? 1_000);
        for (const socket of webSocketServer.clients) socket.close(1001);
        server.close(() => {
          clearTimeout(deadline);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

function listenFailure(error: NodeJS.ErrnoException, { host, port }: PublicServerOptions): ConfigError {
  const details = { cause: error, settings: ['HOST', 'PORT'] };
  switch (error.code) {
    case 'EADDRINUSE':
      return new ConfigError(
        `Port ${port} on ${host} is taken by another program. Stop that program, or set PORT to a free one.`,
        details,
      );
    case 'EACCES':
      return new ConfigError(`This user may not listen on port ${port}. Set PORT to one above 1023.`, details);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ConfigError(
        `This machine has no address ${host}, so port ${port} cannot be opened there. Set HOST to 127.0.0.1 or to an address of this machine.`,
        details,
      );
    default:
      return new ConfigError(`Port ${port} on ${host} cannot be opened. Check HOST and PORT.`, details);
  }
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
