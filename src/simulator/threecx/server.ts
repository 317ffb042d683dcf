import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { WebSocketServer } from 'ws';
import { close, listen } from '../loopback.ts';
import { answerCallControl, type CallControlWorld, envelope, joinStream } from './call-control.ts';
import type { EventsSockets } from './events.ts';
import { type FaultyHow, takeFault } from './faults.ts';
import type { Reply } from './reply.ts';
import type { Tokens } from './tokens.ts';
import { answerXapi, XAPI_BASE, type Xapi } from './xapi.ts';

export interface SeenRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Parsed; never of the sign-in. */
  readonly body: unknown;
  /** 0 while, and when it was never, answered. */
  readonly status: number;
}

export interface ServerWorld extends CallControlWorld {
  readonly tokens: Tokens;
  readonly events: EventsSockets;
  readonly xapi: Xapi;
}

interface Exchanged {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly seen: { body: unknown; status: number };
}

const STREAM = /^\/callcontrol\/[^/]+\/participants\/[^/]+\/stream$/;
const UNAUTHORIZED: Reply = { status: 401, body: { error: 'unauthorized' } };

/** The HTTP server: who may ask, what goes wrong, and who answers. */
export class ThreeCxServer {
  readonly requests: SeenRequest[] = [];
  readonly #world: ServerWorld;
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  readonly #server = createServer((incoming, response) => void this.#handle(incoming, response));
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(world: ServerWorld) {
    this.#world = world;
    // An audio connection lives as long as its call.
    this.#server.requestTimeout = 0;
    this.#server.on('upgrade', (incoming, socket, head) => this.#upgrade(incoming, socket, head));
  }

  /** Resolves with its address, without a slash at its end. */
  async listen(): Promise<string> {
    return `http://127.0.0.1:${await listen(this.#server)}`;
  }

  async close(): Promise<void> {
    this.#world.events.drop();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#sockets.close();
    await close(this.#server);
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url: target = '/' } = incoming;
    const seen = { method, path: target, body: null, status: 0 };
    this.requests.push(seen);
    response.on('finish', () => {
      seen.status = response.statusCode;
    });
    response.on('error', () => undefined);
    try {
      const url = new URL(target, `http://${incoming.headers.host ?? 'pbx.example.com'}`);
      await this.#serve({ incoming, response, url, seen });
    } catch (error) {
      const isTheirs = error instanceof SyntaxError || error instanceof URIError;
      if (!response.headersSent) this.#write(response, { status: isTheirs ? 400 : 500 });
    }
  }

  async #serve(exchanged: Exchanged): Promise<void> {
    const { incoming, response, url } = exchanged;
    const { method = 'GET' } = incoming;
    const { tokens, faults } = this.#world;
    const isSignIn = url.pathname === '/connect/token';
    if (!isSignIn && tokens.accept(incoming.headers.authorization) === null) return this.#write(response, UNAUTHORIZED);
    const fault = takeFault(faults, method, decodeURIComponent(`${url.pathname}${url.search}`));
    if (faults.slowMs !== undefined) await this.#wait(faults.slowMs);
    if (fault?.kind === 'status') return this.#write(response, refusedBy(fault));
    if (isSignIn) return this.#answerWith(exchanged, fault, await this.#signIn(incoming));
    if (STREAM.test(url.pathname) && (method === 'GET' || method === 'POST')) return this.#stream(exchanged, fault);
    exchanged.seen.body = await readJson(incoming);
    if (fault?.kind === 'failed') {
      const { reason = 'None', reasonText = 'The call could not be made.' } = fault;
      return this.#write(response, { status: 200, body: envelope(faults, 'Failed', reason, reasonText, null) });
    }
    await this.#answerWith(exchanged, fault, () => this.#reply(exchanged));
  }

  /** Does what was asked for, unless the fault forbids it, and answers, unless the fault forbids that. */
  async #answerWith({ incoming, response }: Exchanged, fault: FaultyHow | null, act: () => Reply): Promise<void> {
    if (fault?.kind === 'silence' || fault?.kind === 'broken') {
      if (fault.applied) act();
      if (fault.kind === 'broken') incoming.socket.destroy();
      return;
    }
    const reply = act();
    if (fault?.kind === 'late') await this.#wait(fault.afterMs);
    this.#write(response, fault?.kind === 'empty' ? { status: reply.status } : reply);
  }

  #reply({ incoming, url, seen }: Exchanged): Reply {
    const { pathname, searchParams: query, origin } = url;
    const request = { method: incoming.method ?? 'GET', origin, path: pathname, query, body: seen.body };
    if (pathname.startsWith(`${XAPI_BASE}/`)) return answerXapi(request, this.#world.xapi);
    if (/^\/callcontrol(\/|$)/.test(pathname)) return answerCallControl(request, this.#world);
    return { status: 404 };
  }

  async #stream({ incoming, response, url, seen }: Exchanged, fault: FaultyHow | null): Promise<void> {
    if (fault?.kind === 'silence') return;
    if (fault?.kind === 'broken') return void incoming.socket.destroy();
    if (fault?.kind === 'late') await this.#wait(fault.afterMs);
    const refusal = joinStream(url.pathname, incoming, response, this.#world);
    if (refusal === null) seen.status = 200;
    else this.#write(response, refusal);
  }

  async #signIn(incoming: IncomingMessage): Promise<() => Reply> {
    const { tokens, violated } = this.#world;
    if (incoming.method !== 'POST') return () => ({ status: 405 });
    const form = await readForm(incoming);
    if (form !== null) return () => tokens.issue(form);
    violated('The sign-in was not sent as a form.');
    return () => ({ status: 400, body: { error: 'invalid_request' } });
  }

  #write(response: ServerResponse, { status, body, contentType, headers }: Reply): void {
    if (status === 401) this.#world.tokens.rejected();
    const isRaw = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
    const type = body === undefined ? {} : { 'content-type': contentType ?? 'application/json; charset=utf-8' };
    response.writeHead(status, { ...type, ...headers });
    response.end(isRaw ? body : JSON.stringify(body));
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        resolve();
      }, delayMs);
      this.#timers.add(timer);
    });
  }

  #upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined);
    const { tokens, events, faults, violated } = this.#world;
    const path = incoming.url ?? '/';
    const answer = (status: number): void => {
      this.requests.push({ method: 'GET', path, body: null, status });
      if (status === 401) tokens.rejected();
      if (status !== 101) socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    };
    if (path !== '/callcontrol/ws') return answer(404);
    const token = tokens.accept(incoming.headers.authorization);
    if (token === null) return answer(401);
    const refusal = faults.refuseEvents;
    const isRefused = refusal !== undefined && refusal.times > 0;
    if (isRefused) refusal.times -= 1;
    if (isRefused && refusal.how === 'http-401') return answer(401);
    answer(101);
    this.#sockets.handleUpgrade(incoming, socket, head, (opened) => {
      opened.on('error', () => undefined);
      opened.on('message', () => violated('A request was sent over the events socket.'));
      opened.on('close', tokens.usedBySocket(token));
      if (!isRefused) return events.add(opened);
      tokens.rejected();
      opened.close(1008, 'Unauthorized');
    });
  }
}

function refusedBy(fault: { status: number; body?: unknown; retryAfterSeconds?: number }): Reply {
  const { status, body, retryAfterSeconds } = fault;
  const headers: Record<string, string> = {};
  if (retryAfterSeconds !== undefined) headers['retry-after'] = String(retryAfterSeconds);
  return { status, body, headers, ...(typeof body === 'string' ? { contentType: 'text/plain' } : {}) };
}

/** Null without a body; throws a SyntaxError on what is no JSON. */
async function readJson(incoming: IncomingMessage): Promise<unknown> {
  const body = await text(incoming);
  return body === '' ? null : JSON.parse(body);
}

/** Url-encoded as the documents have it, or multipart as 3CX's examples send it; null for anything else. */
async function readForm(incoming: IncomingMessage): Promise<ReadonlyMap<string, string> | null> {
  const type = incoming.headers['content-type'] ?? '';
  const body = await text(incoming);
  if (type.startsWith('application/x-www-form-urlencoded')) return new Map(new URLSearchParams(body));
  if (!type.startsWith('multipart/form-data')) return null;
  const form = await new Response(body, { headers: { 'content-type': type } }).formData();
  return new Map([...form].map(([name, value]) => [name, String(value)]));
}
