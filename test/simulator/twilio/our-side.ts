import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import twilio from 'twilio';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Answer, Callee } from '../../../src/simulator/callee/callee.ts';
import type { TwilioSimulator } from '../../../src/simulator/twilio/account.ts';

export interface Hook {
  readonly path: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly form: Record<string, string>;
  readonly atMs: number;
}

export interface Reply {
  readonly status?: number;
  readonly type?: string;
  readonly body?: string;
  readonly afterMs?: number;
}

/** The members of all messages together; which of them are there depends on `event`. */
export interface Message {
  readonly event: string;
  readonly sequenceNumber: string;
  readonly streamSid: string;
  readonly media: { readonly chunk: string; readonly timestamp: string; readonly payload: string };
  readonly mark: { readonly name: string };
}

/** The other end of one Media Stream. */
export class Peer {
  readonly messages: Message[] = [];
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  readonly socket: WebSocket;
  closeCode: number | null = null;

  constructor(socket: WebSocket, headers: IncomingHttpHeaders, path: string) {
    this.socket = socket;
    this.headers = headers;
    this.path = path;
    socket.on('message', (data) => this.messages.push(JSON.parse(String(data))));
    socket.on('close', (code) => {
      this.closeCode = code;
    });
    socket.on('error', () => {});
  }

  get streamSid(): string {
    return this.messages.find((one) => one.event === 'start')?.streamSid ?? '';
  }

  of(event: string): Message[] {
    return this.messages.filter((one) => one.event === event);
  }

  send(message: object | string | Buffer): void {
    this.socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  }

  play(audio: Uint8Array, chunkBytes = 4_000): void {
    for (let at = 0; at < audio.byteLength; at += chunkBytes) {
      const payload = Buffer.from(audio.subarray(at, at + chunkBytes)).toString('base64');
      this.send({ event: 'media', streamSid: this.streamSid, media: { payload } });
    }
  }

  mark(name: string): void {
    this.send({ event: 'mark', streamSid: this.streamSid, mark: { name } });
  }

  clear(): void {
    this.send({ event: 'clear', streamSid: this.streamSid });
  }
}

/** A tiny server in our place: answers webhooks by path and takes streams on any path but `/refused`. */
export async function ourSide(replies: Record<string, Reply | (() => Reply)> = {}) {
  const hooks: Hook[] = [];
  const peers: Peer[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      const target = request.url ?? '';
      const path = target.split('?')[0] ?? '';
      const form = Object.fromEntries(new URLSearchParams(body));
      hooks.push({ path, url: `${origin}${target}`, headers: request.headers, form, atMs: performance.now() });
      const given = replies[path];
      const reply = typeof given === 'function' ? given() : given;
      setTimeout(() => {
        response.writeHead(reply?.status ?? 200, { 'content-type': reply?.type ?? 'text/xml' });
        response.end(reply?.body ?? '<Response/>');
      }, reply?.afterMs ?? 0);
    });
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (request.url?.startsWith('/refused')) {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (ws) => {
      peers.push(new Peer(ws, request.headers, request.url ?? ''));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  return {
    hooks,
    peers,
    origin,
    streamUrl: `ws://127.0.0.1:${port}/media`,
    /** The first stream, once its `start` has come. */
    peer: () => until(() => peers.find((one) => one.streamSid !== ''), 'the stream starts'),
    hooksOf: (path: string) => hooks.filter((one) => one.path === path),
    close: async () => {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function connectTwiml(
  streamUrl: string,
  more: { action?: string; parameters?: string; after?: string } = {},
): string {
  const action = more.action === undefined ? '' : ` action="${more.action}"`;
  return `<?xml version="1.0" encoding="UTF-8"?><Response><Connect${action}><Stream url="${streamUrl}">${more.parameters ?? ''}</Stream></Connect>${more.after ?? ''}</Response>`;
}

/** Polls until `condition` gives something other than false, null or undefined. */
export async function until<T>(
  condition: () => T,
  what: string,
  withinMs = 8_000,
): Promise<Exclude<T, false | null | undefined>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = condition();
    if (value !== false && value !== null && value !== undefined) return value as Exclude<T, false | null | undefined>;
    if (performance.now() > deadline) throw new Error(`It never happened that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const silentCallee: Callee = { tick: () => ({ spoken: null }) };

export function answers(callee: () => Callee = () => silentCallee, ringMs = 20): () => Answer {
  return () => ({ kind: 'answers', ringMs, callee });
}

/** Twilio's own client, pointed at the simulator. */
export function clientOf(sim: TwilioSimulator, password = sim.authToken) {
  const client = twilio(sim.accountSid, password);
  client.api.baseUrl = sim.baseUrl;
  return client;
}
