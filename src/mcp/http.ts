/** MCP over HTTP: the Streamable HTTP transport at `/mcp`, and the older HTTP+SSE at `/sse` with `/messages`. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import {
  CancelledNotificationSchema,
  isInitializeRequest,
  type JSONRPCMessage,
  LATEST_PROTOCOL_VERSION,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/sdk/types.js';
import type { Access } from '../config/access.ts';
import { createEventLog, type EventLog } from './event-log.ts';
import { errorOf, faultOf, gone, NO_ID, refuse, type ScopeOf, TOO_MANY } from './http-fault.ts';
import { parsedJson } from './json-rpc.ts';
import type { Session } from './offer.ts';

export interface McpHttpOptions {
  /** A server of its own for each client. */
  readonly newServer: (session: Pick<Session, 'access' | 'transport'>) => McpServer;
  readonly scopeOf: ScopeOf;
  /** The body as text; rejects when it is too large or cannot be read. */
  readonly readBody: (request: IncomingMessage) => Promise<string>;
  /** The token that was shown in the address, where that is allowed: the address of `/messages` has to show it too. */
  readonly addressToken: (request: IncomingMessage) => string | null;
  /** What a proxy puts before our paths. */
  readonly basePath: string;
  readonly logger: { debug(fields: object, message: string): void };
  readonly mostSessions?: number;
  readonly idleMs?: number;
}

export interface McpHttp {
  /** `/mcp`: POST, GET, DELETE. */
  streamable(request: IncomingMessage, response: ServerResponse, access: Access): Promise<void>;
  /** `GET /sse`. */
  sse(request: IncomingMessage, response: ServerResponse, access: Access): Promise<void>;
  /** `POST /messages?sessionId=…`. */
  messages(request: IncomingMessage, response: ServerResponse, access: Access): Promise<void>;
  sessions(): number;
  close(): Promise<void>;
}

/** One client's session. Whoever shows other credentials than the one who opened it does not find it. */
interface SessionBase {
  readonly id: string;
  readonly owner: string;
  readonly server: McpServer;
  /** Responses that are being written. */
  open: number;
  usedAtMs: number;
}

interface SseSession extends SessionBase {
  readonly kind: 'sse';
  readonly transport: SSEServerTransport;
}

interface StreamableSession extends SessionBase {
  readonly kind: 'streamable';
  readonly transport: StreamableHTTPServerTransport;
  readonly log: EventLog<JSONRPCMessage>;
  /** Agreed on when it was opened. */
  readonly version: string;
  /** It has sent several messages as one, so that a stream may have several answers. */
  hasBatches: boolean;
}

type HttpSession = SseSession | StreamableSession;

const MOST_SESSIONS = 200;
const IDLE_MS = 30 * 60_000;
const LOOK_MS = 60_000;
/** Well below the time after which a connection that stands still is closed, here and in proxies. */
const KEEP_ALIVE_MS = 15_000;
/** How soon a client whose stream broke comes back. */
const RETRY_MS = 1_000;
const VERSION_HEADER = 'mcp-protocol-version';
/** What a request that was cancelled has in place of an answer; it is told to nobody. */
const CANCELLED = -32800;

export function createMcpHttp(options: McpHttpOptions): McpHttp {
  return new HttpEdge(options);
}

class HttpEdge implements McpHttp {
  readonly #options: McpHttpOptions;
  readonly #sessions = new Map<string, HttpSession>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: McpHttpOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#closeIdle(), LOOK_MS).unref();
  }

  async streamable(request: IncomingMessage, response: ServerResponse, access: Access): Promise<void> {
    const body = request.method === 'POST' ? parsedJson(await this.#options.readBody(request)) : undefined;
    const fault = request.method === 'POST' ? faultOf(body, access, this.#options.scopeOf) : null;
    if (fault !== null && fault.status !== 200) return refuse(response, fault);
    const id = request.headers['mcp-session-id'];
    const isNew = id === undefined && isInitializeRequest(body);
    if (id === undefined && !isNew) return refuse(response, fault === null ? NO_ID : { ...fault, status: 400 });
    const session = isNew ? await this.#open(body, access, response) : this.#find('streamable', id, access);
    if (session === null) return isNew ? undefined : refuse(response, gone('Begin again with initialize.'));
    this.#use(session, response);
    if (fault !== null) return refuse(response, fault);
    session.hasBatches ||= Array.isArray(body);
    if (endResumed(session, request, response)) return;
    nameVersion(session.version, request);
    await session.transport.handleRequest(request, response, body);
    this.#endCancelled(session, body);
    // It was refused before it got an id, which nobody will ever know.
    if (isNew && session.transport.sessionId === undefined) this.#remove(session);
  }

  async sse(request: IncomingMessage, response: ServerResponse, access: Access): Promise<void> {
    if (!this.#hasRoom(response)) return;
    const token = this.#options.addressToken(request);
    const query = token === null ? '' : `?${new URLSearchParams({ token })}`;
    response.setHeader('x-accel-buffering', 'no');
    const transport = new SSEServerTransport(`${this.#options.basePath}/messages${query}`, response);
    const server = this.#options.newServer({ access, transport: 'sse' });
    const session: SseSession = { ...newSession(transport.sessionId, access, server), kind: 'sse', transport };
    this.#sessions.set(session.id, session);
    const keepAlive = setInterval(() => response.write(': keepalive\n\n'), KEEP_ALIVE_MS);
    response.once('close', () => {
      clearInterval(keepAlive);
      this.#remove(session);
    });
    this.#use(session, response);
    await server.connect(transport);
  }

  async messages(request: IncomingMessage, response: ServerResponse, access: Access): Promise<void> {
    const id = new URLSearchParams(request.url?.split('?')[1]).get('sessionId') ?? undefined;
    const session = this.#find('sse', id, access);
    if (session === null) return refuse(response, gone('Open /sse again.'));
    const body = parsedJson(await this.#options.readBody(request));
    const fault = faultOf(body, access, this.#options.scopeOf);
    this.#use(session, response);
    if (fault === null) return session.transport.handlePostMessage(request, response, body);
    if (fault.status !== 200) return refuse(response, fault);
    // Answers come on the stream.
    await session.transport.send(errorOf(fault));
    response.writeHead(202).end();
  }

  sessions(): number {
    return this.#sessions.size;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#sessions.values()].map((session) => this.#end(session)));
  }

  /** The transport leaves the stream of a request open that was cancelled, and will never be answered. */
  #endCancelled({ transport, hasBatches }: StreamableSession, body: unknown): void {
    const cancelled = CancelledNotificationSchema.safeParse(body);
    const id = cancelled.data?.params.requestId;
    // The stream may be that of other requests too.
    if (id === undefined || hasBatches) return;
    transport.closeSSEStream(id);
    transport
      .send(errorOf({ code: CANCELLED, message: 'The request was cancelled.', id }))
      .catch((err: unknown) => this.#options.logger.debug({ err }, 'a request that was cancelled had ended already'));
  }

  async #open(body: unknown, access: Access, response: ServerResponse) {
    if (!this.#hasRoom(response)) return null;
    const id = randomUUID();
    const log = createEventLog<JSONRPCMessage>();
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      eventStore: log,
      keepAliveMs: KEEP_ALIVE_MS,
      retryInterval: RETRY_MS,
    });
    transport.onerror = (err) => this.#options.logger.debug({ err }, 'an MCP request over HTTP was refused');
    const server = this.#options.newServer({ access, transport: 'http' });
    const session: StreamableSession = {
      ...newSession(id, access, server),
      kind: 'streamable',
      transport,
      log,
      version: versionFor(body),
      hasBatches: false,
    };
    this.#sessions.set(id, session);
    await server.connect(transport);
    // Also after a DELETE, which the transport answers by itself.
    const closed = transport.onclose;
    transport.onclose = () => {
      closed?.();
      this.#sessions.delete(id);
    };
    return session;
  }

  #find<Kind extends HttpSession['kind']>(
    kind: Kind,
    id: string | readonly string[] | undefined,
    access: Access,
  ): Extract<HttpSession, { kind: Kind }> | null {
    const session = typeof id === 'string' ? this.#sessions.get(id) : undefined;
    if (session === undefined || session.owner !== ownerOf(access) || session.kind !== kind) return null;
    return session as Extract<HttpSession, { kind: Kind }>;
  }

  #use(session: HttpSession, response: ServerResponse): void {
    session.open += 1;
    session.usedAtMs = performance.now();
    response.once('close', () => {
      session.open -= 1;
      session.usedAtMs = performance.now();
    });
  }

  /** Makes room by ending the session that has been idle for longest, where one is. */
  #hasRoom(response: ServerResponse): boolean {
    if (this.#sessions.size < (this.#options.mostSessions ?? MOST_SESSIONS)) return true;
    const idlest = this.#idle().toSorted((one, other) => one.usedAtMs - other.usedAtMs)[0];
    if (idlest !== undefined) {
      this.#remove(idlest);
      return true;
    }
    refuse(response, TOO_MANY);
    return false;
  }

  #idle(): readonly HttpSession[] {
    return [...this.#sessions.values()].filter(({ open }) => open === 0);
  }

  #closeIdle(): void {
    const before = performance.now() - (this.#options.idleMs ?? IDLE_MS);
    for (const session of this.#idle()) if (session.usedAtMs < before) this.#remove(session);
  }

  #remove(session: HttpSession): void {
    this.#end(session).catch((err: unknown) => this.#options.logger.debug({ err }, 'a session did not close'));
  }

  async #end(session: HttpSession): Promise<void> {
    if (!this.#sessions.delete(session.id)) return;
    await session.server.close();
  }
}

function newSession(id: string, access: Access, server: McpServer): SessionBase {
  return { id, owner: ownerOf(access), server, open: 0, usedAtMs: performance.now() };
}

/** The same name with other scopes is somebody else: what a session was offered is settled when it is opened. */
function ownerOf({ name, scopes }: Access): string {
  return `${name} ${[...scopes].toSorted().join(' ')}`;
}

/** What the server answers to this initialize. */
function versionFor(body: unknown): string {
  const asked = isInitializeRequest(body) ? body.params.protocolVersion : '';
  return SUPPORTED_PROTOCOL_VERSIONS.includes(asked) ? asked : LATEST_PROTOCOL_VERSION;
}

/**
 * A session goes on as it began, also where a request does not say so: the transport would take it for one of 2025-03-26, whose
 * streams cannot be resumed before their first message. A version that nobody knows is left for it to refuse.
 */
function nameVersion(version: string, request: IncomingMessage): void {
  const { headers, rawHeaders } = request;
  const shown = headers[VERSION_HEADER];
  if (shown !== undefined && !isSupported(shown)) return;
  headers[VERSION_HEADER] = version;
  // What the transport reads.
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === VERSION_HEADER);
  if (at < 0) rawHeaders.push(VERSION_HEADER, version);
  else rawHeaders[at + 1] = version;
}

function isSupported(version: string | string[] | undefined): boolean {
  return version === undefined || (typeof version === 'string' && SUPPORTED_PROTOCOL_VERSIONS.includes(version));
}

/**
 * Tells who comes back to a stream that has its answer what it missed, and ends; the transport would leave it open for ever. When it
 * missed nothing, it need not come back again: 204 (HTML, "Server-sent events").
 */
function endResumed(
  { log, hasBatches }: StreamableSession,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { 'last-event-id': eventId, accept, [VERSION_HEADER]: version } = request.headers;
  if (request.method !== 'GET' || typeof eventId !== 'string' || hasBatches) return false;
  if (!accept?.includes('text/event-stream') || !isSupported(version) || !isAnswer(log.latest(eventId))) return false;
  const missed = log.since(eventId)?.filter(({ message }) => !('error' in message && message.error.code === CANCELLED));
  if (missed === undefined || missed.length === 0) response.writeHead(204);
  else {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform' });
    for (const event of missed)
      response.write(`event: message\nid: ${event.eventId}\ndata: ${JSON.stringify(event.message)}\n\n`);
  }
  response.end();
  return true;
}

function isAnswer(message: JSONRPCMessage | null): boolean {
  return message !== null && ('result' in message || 'error' in message);
}
