/** The public listener: `/call/*` as the carriers describe it, and `GET /health`. Nothing else is ever answered here. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type express from 'express';
import expressWs from 'express-ws';
import type { WebSocket, WebSocketServer } from 'ws';
import type { SocketRoute, UpgradeRequest, Webhook } from '../carriers/carrier.ts';
import { answerTheRest, type HttpLog, newApp } from './app.ts';
import { readText } from './body.ts';
import { NOT_FOUND } from './failure.ts';
import { createListener, type Listener } from './listener.ts';
import { MediaConnection } from './media-connection.ts';
import { flatHeaders, matchPath, parseForm, pathOf } from './routes.ts';
import { limitStrangers } from './strangers.ts';
import { TextIntake } from './text-intake.ts';

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
  /** How long a client may leave an answer unread. */
  readonly stallTimeoutMs?: number;
  /** Most connections at the same time that are no accepted stream. */
  readonly maxStrangers?: number;
  /** How long `stop` waits for the peers' side of a close. */
  readonly stopTimeoutMs?: number;
}

/** `stop` closes live sockets as well. */
export type PublicServer = Listener;

const MAX_FORM_BYTES = 64 * 1024;
const MAX_FRAME_BYTES = 256 * 1024;
const MAX_NONCE_LENGTH = 200;
const MAX_STRANGERS = 1_000;
/** How long a peer may take to answer a close; what it sends meanwhile is read by nobody. */
const CLOSE_TIMEOUT_MS = 5_000;
const SILENT: HttpLog = { warn: () => undefined, error: () => undefined };

export function createPublicServer(options: PublicServerOptions): PublicServer {
  const logger = options.logger ?? SILENT;
  const app = newApp();
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
  server.setTimeout(options.stallTimeoutMs ?? 30_000);
  const isKnown = limitStrangers(server, options.maxStrangers ?? MAX_STRANGERS);
  const webSocketServer = mountSockets(app, server, options.sockets, logger, isKnown);
  app.get('/health', (request, response) => {
    const nonce = request.query.nonce;
    const known = typeof nonce === 'string' && nonce !== '' && nonce.length <= MAX_NONCE_LENGTH;
    response.set('cache-control', 'no-store');
    response.json(known ? { status: 'ok', proof: options.healthProof(nonce) } : { status: 'ok' });
  });
  for (const webhook of options.webhooks) mountWebhook(app, webhook);
  answerTheRest(app, logger);
  return createListener(server, {
    ...options,
    settings: { host: 'HOST', port: 'PORT' },
    closing: () => {
      for (const socket of webSocketServer.clients) socket.close(1001);
    },
  });
}

function mountWebhook(app: express.Application, webhook: Webhook): void {
  // The path parameter of a wildcard type would be lost here, so it is matched by our own rule, as the sockets are.
  const match = matchPath(webhook.path);
  const handle: express.RequestHandler = async (request, response, next) => {
    const params = match(request.path);
    if (params === null) return next();
    const isForm = request.is('application/x-www-form-urlencoded') !== false;
    const body = await readText(request, MAX_FORM_BYTES);
    const reply = await webhook.handle({
      params,
      target: request.originalUrl,
      headers: flatHeaders(request.headers),
      form: parseForm(isForm ? body : ''),
    });
    response
      .status(reply.status)
      .set('content-type', reply.contentType)
      .set('cache-control', 'no-store')
      .end(reply.body);
  };
  if (webhook.method === 'GET') app.get(webhook.path, handle);
  else app.post(webhook.path, handle);
}

interface Accepted {
  readonly route: SocketRoute;
  readonly request: UpgradeRequest;
  readonly callId: string | undefined;
}

/** Who may open a socket is decided before the upgrade; what is accepted there is the only thing that gets a handler. */
function mountSockets(
  app: express.Application,
  server: Server,
  routes: readonly SocketRoute[],
  logger: HttpLog,
  isKnown: (connection: Socket) => void,
): WebSocketServer {
  const matchers = routes.map((route) => ({ route, match: matchPath(route.path) }));
  const accepted = new WeakMap<IncomingMessage, Accepted>();
  const intakes = new WeakMap<IncomingMessage, TextIntake>();

  const judge = (incoming: IncomingMessage): number => {
    const target = incoming.url ?? '/';
    for (const { route, match } of matchers) {
      const params = match(pathOf(target));
      if (params === null) continue;
      const request: UpgradeRequest = { params, target, headers: flatHeaders(incoming.headers) };
      const verdict = route.authorize(request);
      if (!verdict.accept) return verdict.status;
      accepted.set(incoming, { route, request, callId: verdict.callId });
      return 101;
    }
    return NOT_FOUND.status;
  };

  // The types of ws do not know `closeTimeout` yet.
  const wsOptions: expressWs.Options['wsOptions'] & { readonly closeTimeout: number } = {
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
    closeTimeout: CLOSE_TIMEOUT_MS,
    verifyClient: (info, callback) => {
      let status = 500;
      try {
        status = judge(info.req);
      } catch (error) {
        logger.error({ err: error }, 'A socket route failed to judge an upgrade');
      }
      if (status === 101) isKnown(info.req.socket);
      callback(status === 101, status);
    },
  };
  const { app: socketApp, getWss } = expressWs(app, server, { leaveRouterUntouched: true, wsOptions });
  const webSocketServer = getWss();
  giveIntakes(server, intakes);
  // ws repeats the HTTP server's errors here; without a listener a taken port would end the process.
  webSocketServer.on('error', (error) => logger.warn({ err: error }, 'The public listener reported an error'));
  webSocketServer.prependListener('connection', (socket: WebSocket, request: IncomingMessage) => {
    const callId = accepted.get(request)?.callId;
    socket.on('error', (error) => logger.warn({ callId, code: codeOf(error) }, 'A socket of a carrier failed'));
  });
  socketApp.ws('/*path', (socket, request) => {
    const [found, intake] = [accepted.get(request), intakes.get(request)];
    if (found === undefined || intake === undefined) {
      socket.terminate();
      return;
    }
    try {
      const { callId } = found;
      const failed = (err: unknown): void => logger.error({ callId, err }, 'The handler of a socket failed');
      found.route.connect(new MediaConnection(socket, request.socket, intake, failed), found.request);
    } catch (error) {
      logger.error({ callId: found.callId, err: error, route: found.route.path }, 'A socket route failed');
      socket.close(1011);
    }
  });
  return webSocketServer;
}

/** ws gets each connection through an intake, which is a stream as good as a socket to it. */
function giveIntakes(server: Server, intakes: WeakMap<IncomingMessage, TextIntake>): void {
  const upgrades = server.listeners('upgrade');
  server.removeAllListeners('upgrade');
  server.on('upgrade', (request, connection, head) => {
    const intake = new TextIntake(connection as Socket, head);
    intakes.set(request, intake);
    for (const upgrade of upgrades) upgrade.call(server, request, intake, NOTHING);
  });
}

const NOTHING = Buffer.alloc(0);

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
