import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { until } from '../fixtures/mcp-pair.ts';

/** The connection of one model session: the simulator's messages pass through it, and ours can be put among them. */
export interface ModelLink {
  /** Towards the server under attack. */
  readonly socket: WebSocket;
  /** The session's settings were confirmed: what follows is heard in the call. */
  readonly ready: boolean;
  /** Ids that the simulator has used so far, newest last. */
  readonly ids: readonly string[];
  readonly isOpen: boolean;
  /** Keeps the simulator's messages back until `work` is done: none may come between the pieces of a frame. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

export interface ModelProxy {
  readonly url: string;
  /** The newest link whose session was briefed with this text. */
  link(marker: string): Promise<ModelLink>;
  close(): Promise<void>;
}

class Link implements ModelLink {
  readonly socket: WebSocket;
  readonly ids: string[] = [];
  briefing = '';
  ready = false;
  #kept: string[] | null = null;

  constructor(socket: WebSocket) {
    this.socket = socket;
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  /** A message of the simulator's. */
  pass(text: string): void {
    this.learn(text);
    if (this.#kept !== null) this.#kept.push(text);
    else if (this.isOpen) this.socket.send(text);
  }

  async alone<T>(work: () => Promise<T>): Promise<T> {
    this.#kept = [];
    try {
      return await work();
    } finally {
      const kept = this.#kept;
      this.#kept = null;
      for (const text of kept) if (this.isOpen) this.socket.send(text);
    }
  }

  private learn(text: string): void {
    if (text.startsWith('{"type":"session.updated"')) this.ready = true;
    for (const [, id] of text.matchAll(/"((?:resp|item|call)_\w+)"/g)) if (id !== undefined) this.ids.push(id);
    this.ids.splice(0, this.ids.length - 50);
  }
}

/** Stands between the server under attack and the simulated model at `targetUrl`. */
export async function startModelProxy(targetUrl: string): Promise<ModelProxy> {
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const links: Link[] = [];
  http.on('upgrade', (request, stream, head) => {
    stream.on('error', () => undefined);
    sockets.handleUpgrade(request, stream, head, (near) => {
      const query = (request.url ?? '').split('?')[1] ?? '';
      const far = new WebSocket(`${targetUrl}?${query}`, {
        headers: { authorization: request.headers.authorization ?? '' },
      });
      links.push(join(near, far));
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/v1/realtime`,
    link: async (marker) => {
      const found = () => links.findLast(({ briefing, ready }) => ready && briefing.includes(marker));
      await until(() => found() !== undefined, 20_000);
      const link = found();
      if (link === undefined) throw new Error('no link');
      return link;
    },
    close: async () => {
      for (const socket of sockets.clients) socket.terminate();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function join(near: WebSocket, far: WebSocket): Link {
  const link = new Link(near);
  const waiting: string[] = [];
  near.on('error', () => undefined);
  far.on('error', () => near.terminate());
  near.on('message', (data: RawData) => {
    const text = data.toString();
    if (link.briefing === '' && text.includes('"session.update"')) link.briefing = text;
    if (far.readyState === WebSocket.OPEN) far.send(text);
    else waiting.push(text);
  });
  far.on('open', () => {
    for (const text of waiting.splice(0)) far.send(text);
  });
  far.on('message', (data: RawData) => {
    link.pass(data.toString());
  });
  near.on('close', () => far.terminate());
  far.on('close', (code) => {
    if (link.isOpen) near.close(code === 1006 || code === 1005 ? 1000 : code);
  });
  return link;
}
