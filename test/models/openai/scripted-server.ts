import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

type Json = Record<string, unknown>;

/** One client of the scripted server, message by message. */
export interface ScriptedClient {
  readonly request: IncomingMessage;
  readonly socket: WebSocket;
  /** Every message so far. */
  readonly received: readonly Json[];
  /** The next message of the type that was not taken before. */
  take(type: string): Promise<Json>;
  send(...messages: readonly (Json | string)[]): void;
  /** Greets, takes the settings and confirms them. */
  greet(): Promise<Json>;
}

export interface ScriptedServer {
  readonly url: string;
  client(): Promise<ScriptedClient>;
  close(): Promise<void>;
}

/** A Realtime server that says exactly what a test tells it to, over a real socket. `refuse` answers the upgrade with HTTP. */
export async function startScriptedServer(
  refuse: { readonly status: number; readonly body: string } | null = null,
): Promise<ScriptedServer> {
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  const arrived: ScriptedClient[] = [];
  const waiting: Array<(client: ScriptedClient) => void> = [];
  http.on('upgrade', (request, stream, head) => {
    stream.on('error', () => {});
    if (refuse !== null) {
      const { status, body } = refuse;
      stream.end(
        `HTTP/1.1 ${status} No\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      );
      return;
    }
    sockets.handleUpgrade(request, stream, head, (socket) => {
      const client = scriptedClient(request, socket);
      const next = waiting.shift();
      if (next === undefined) arrived.push(client);
      else next(client);
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/v1/realtime`,
    client: () => {
      const client = arrived.shift();
      return client === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(client);
    },
    close: async () => {
      for (const socket of sockets.clients) socket.terminate();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function scriptedClient(request: IncomingMessage, socket: WebSocket): ScriptedClient {
  const received: Json[] = [];
  const untaken: Json[] = [];
  const listeners = new Set<() => void>();
  socket.on('error', () => {});
  socket.on('message', (data) => {
    const message: Json = JSON.parse(data.toString());
    received.push(message);
    untaken.push(message);
    for (const listener of [...listeners]) listener();
  });
  const take = (type: string) =>
    new Promise<Json>((resolve, reject) => {
      const timer = setTimeout(() => {
        listeners.delete(look);
        reject(new Error(`no ${type}; got ${received.map((message) => message.type).join(', ')}`));
      }, 5_000);
      const look = () => {
        const index = untaken.findIndex((message) => message.type === type);
        const [found] = index < 0 ? [] : untaken.splice(index, 1);
        if (found === undefined) return;
        clearTimeout(timer);
        listeners.delete(look);
        resolve(found);
      };
      listeners.add(look);
      look();
    });
  const send: ScriptedClient['send'] = (...messages) => {
    for (const message of messages) socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  };
  const greet = async () => {
    send({ type: 'session.created', session: { id: 'sess_1', expires_at: 1_790_000_000 } });
    const update = await take('session.update');
    send({ type: 'session.updated', session: { id: 'sess_1', expires_at: 1_790_000_000 } });
    return update;
  };
  return { request, socket, received, take, send, greet };
}
