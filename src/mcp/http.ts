/** MCP over HTTP: the Streamable HTTP transport at `/mcp`, and the older HTTP+SSE at `/sse` with `/messages`. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { ErrorCode, isInitializeRequest, type JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { type Access, permits, type Scope } from '../config/access.ts';
import { createEventLog } from './event-log.ts';
import type { Session } from './offer.ts';
import { complaintAbout } from './stdio.ts';

export interface McpHttpOptions {
  /** A server of its own for each client. */
  readonly newServer: (session: Pick<Session, 'access' | 'transport'>) => McpServer;
  /** The scope that a request needs; null for none. */
  readonly scopeOf: (method: string, params: unknown) => Scope | null;
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
interface HttpSession {
  readonly id: string;
  readonly owner: string;
  readonly server: McpServer;
  readonly transport: StreamableHTTPServerTransport | SSEServerTransport;
  /** Responses that are being written. */
  open: number;
  usedAtMs: number;
}

const MOST_SESSIONS = 200;
const IDLE_MS = 30 * 60_000;
const LOOK_MS = 60_000;
/** Well below the time after which a connection that stands still is closed, here and in proxies. */
const KEEP_ALIVE_MS = 15_000;
/** How soon a client whose stream broke comes back. */
const RETRY_MS = 1_000;
/** What the SDK's own transport answers for the same. */
const NO_SESSION = -32001;
const REFUSED = -32000;

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
    const body = request.method === 'POST' ? parsed(await this.#options.readBody(request)) : undefined;
    if (request.method === 'POST' && this.#refuses(body, access, response)) return;
    const id = request.headers['mcp-session-id'];
    const isNew = id === undefined && isInitializeRequest(body);
    if (id === undefined && !isNew) {
      return refuse(
        response,
        400,
        REFUSED,
        'There is no Mcp-Session-Id. Begin with initialize, and send the one that its answer gives.',
      );
    }
    const session = isNew ? await this.#open(access, response) : this.#find(id, access, StreamableHTTPServerTransport);
    if (session === null)
      return isNew
        ? undefined
        : refuse(response, 404, NO_SESSION, 'There is no such session (any more). Begin again with initialize.');
    this.#use(session, response);
    await session.transport.handleRequest(request, response, body);
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
    const session = this.#add(transport.sessionId, { access, server, transport });
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
    const session = this.#find(id, access, SSEServerTransport);
    if (session === null)
      return refuse(response, 404, NO_SESSION, 'There is no such session (any more). Open /sse again.');
    const body = parsed(await this.#options.readBody(request));
    if (this.#refuses(body, access, response)) return;
    this.#use(session, response);
    await session.transport.handlePostMessage(request, response, body);
  }

  sessions(): number {
    return this.#sessions.size;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#sessions.values()].map((session) => this.#end(session)));
  }

  /** Answers what is no message of the protocol, or needs a scope that its sender does not have. */
  #refuses(body: unknown, access: Access, response: ServerResponse): boolean {
    if (body === undefined) {
      refuse(response, 400, ErrorCode.ParseError, 'The body is not JSON.');
      return true;
    }
    const messages: readonly unknown[] = Array.isArray(body) ? body : [body];
    for (const message of messages) {
      const complaint = complaintAbout(message);
      if (complaint !== null) {
        refuse(response, 400, complaint.code, complaint.message, idOf(message));
        return true;
      }
      const { method, params } = message as { method?: unknown; params?: unknown };
      const scope = typeof method === 'string' ? this.#options.scopeOf(method, params) : null;
      if (scope === null || permits(access, scope)) continue;
      response.setHeader(
        'www-authenticate',
        `Bearer realm="switchboard", error="insufficient_scope", scope="${scope}"`,
      );
      refuse(response, 403, REFUSED, `This needs a token with the scope ${scope}.`, idOf(message));
      return true;
    }
    return false;
  }

  async #open(access: Access, response: ServerResponse) {
    if (!this.#hasRoom(response)) return null;
    const id = randomUUID();
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      eventStore: createEventLog<JSONRPCMessage>(),
      keepAliveMs: KEEP_ALIVE_MS,
      retryInterval: RETRY_MS,
    });
    transport.onerror = (err) => this.#options.logger.debug({ err }, 'an MCP request over HTTP was refused');
    const server = this.#options.newServer({ access, transport: 'http' });
    const session = this.#add(id, { access, server, transport });
    await server.connect(transport);
    // Also after a DELETE, which the transport answers by itself.
    const closed = transport.onclose;
    transport.onclose = () => {
      closed?.();
      this.#sessions.delete(id);
    };
    return session;
  }

  #add<Transport extends HttpSession['transport']>(
    id: string,
    { access, server, transport }: { access: Access; server: McpServer; transport: Transport },
  ): HttpSession & { readonly transport: Transport } {
    const session = { id, owner: ownerOf(access), server, transport, open: 0, usedAtMs: performance.now() };
    this.#sessions.set(id, session);
    return session;
  }

  #find<Transport extends HttpSession['transport']>(
    id: string | readonly string[] | undefined,
    access: Access,
    kind: abstract new (...args: never[]) => Transport,
  ): (HttpSession & { readonly transport: Transport }) | null {
    const session = typeof id === 'string' ? this.#sessions.get(id) : undefined;
    if (session === undefined || session.owner !== ownerOf(access) || !(session.transport instanceof kind)) return null;
    return session as HttpSession & { readonly transport: Transport };
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
    response.setHeader('retry-after', '30');
    refuse(response, 503, REFUSED, 'There are too many sessions already. End one, or try again later.');
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

/** The same name with other scopes is somebody else: what a session was offered is settled when it is opened. */
function ownerOf({ name, scopes }: Access): string {
  return `${name} ${[...scopes].toSorted().join(' ')}`;
}

/** Undefined when it is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function idOf(message: unknown): string | number | null {
  if (typeof message !== 'object' || message === null || !('id' in message)) return null;
  return typeof message.id === 'string' || typeof message.id === 'number' ? message.id : null;
}

function refuse(
  response: ServerResponse,
  status: number,
  code: number,
  message: string,
  id: string | number | null = null,
): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } }));
}
