import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { processes, type ServerProcess } from './process.ts';
import { ringingForEver } from './short-calls.ts';

const here = processes();
afterEach(() => here.cleanUp());

/** What stands at the public URL. */
type Manner = 'another-program' | 'redirect' | 'login' | 'no-upgrade' | 'breaks-upgrade' | 'drops-signature' | 'works';

/** A proxy in front of the server, good or bad, as the test likes it at the moment. */
class Front {
  manner: Manner = 'another-program';
  target: () => Promise<number> = () => Promise.reject(new Error('nobody listens yet'));
  readonly #sockets = new Set<Duplex>();
  readonly #server = createServer((incoming, outgoing) => void this.#pass(incoming, outgoing));

  async open(): Promise<number> {
    this.#server.on('upgrade', (incoming, socket, head) => void this.#upgrade(incoming, socket, head));
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    switch (this.manner) {
      case 'another-program':
        return void outgoing.end('{"status":"ok","proof":"of something else"}');
      case 'redirect':
        return void outgoing.writeHead(301, { location: 'https://www.example.com/' }).end();
      case 'login':
        return void outgoing.writeHead(401).end();
      default: {
        const { upgrade: _upgrade, connection: _connection, ...headers } = incoming.headers;
        const { method, url: path } = incoming;
        const inner = request({ host: '127.0.0.1', port: await this.target(), method, path, headers }, (reply) => {
          outgoing.writeHead(reply.statusCode ?? 500, reply.headers);
          reply.pipe(outgoing);
        });
        inner.on('error', () => outgoing.destroy());
        incoming.pipe(inner);
      }
    }
  }

  async #upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    if (this.manner === 'breaks-upgrade') return void socket.destroy();
    if (this.manner === 'no-upgrade') {
      // As nginx does without the two headers: an ordinary request goes on, and its answer comes back.
      const outgoing = request({ host: '127.0.0.1', port: await this.target(), path: incoming.url }, (reply) => {
        socket.end(`HTTP/1.1 ${reply.statusCode} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
        reply.resume();
      });
      return void outgoing.end();
    }
    const inner = connect(await this.target(), '127.0.0.1');
    this.#sockets.add(inner);
    inner.on('error', () => socket.destroy());
    socket.on('close', () => inner.destroy());
    const lines = Object.entries(incoming.headers)
      .filter(([name]) => this.manner !== 'drops-signature' || name !== 'x-twilio-signature')
      .map(([name, value]) => `${name}: ${String(value)}\r\n`);
    inner.write(`GET ${incoming.url} HTTP/1.1\r\n${lines.join('')}\r\n`);
    inner.write(head);
    socket.pipe(inner).pipe(socket);
  }
}

const ASKED = { toNumber: '+14155550123', callContext: 'Book a table for two tonight, under the name Carter.' };

async function refusal(server: ServerProcess): Promise<string> {
  const reply = await server.tool('trigger-call', ASKED);
  expect(reply.isError).toBe(true);
  expect(reply.data).toMatchObject({ status: 'error', callId: null });
  expect(String(reply.data.next)).toContain('settings');
  return String(reply.data.message);
}

describe('a public URL that is not right', { timeout: 60_000 }, () => {
  it('is told with what is wrong and what to do, nothing is dialled, and once it is right the call goes out', async () => {
    const world = here.later(await ringingForEver());
    const front = here.later(new Front());
    const PUBLIC_URL = `http://127.0.0.1:${await front.open()}`;
    const env = { ...world.env, DATA_DIR: here.folder(), PUBLIC_URL, PORT: '0' };
    const server = await here.start({ env, args: ['--simulate'] });
    front.target = () => server.listeningPort();
    const troubles: readonly (readonly [Manner, RegExp])[] = [
      ['another-program', /another program or another instance.*port that this process listens on/],
      ['redirect', /redirects to another address.*set PUBLIC_URL to it/],
      ['login', /asks for a login.*\/call\/ and \/health pass without one/],
      ['no-upgrade', /a WebSocket through it does not.*forward the Upgrade and Connection headers/],
      ['breaks-upgrade', /a WebSocket through it does not.*broke off.*forwards WebSocket upgrades/],
      ['drops-signature', /a WebSocket through it does not.*X-Twilio-Signature header on unchanged/],
    ];
    for (const [manner, sentence] of troubles) {
      front.manner = manner;
      const message = await refusal(server);
      expect(message, manner).toContain(`PUBLIC_URL (${PUBLIC_URL})`);
      expect(message, manner).toMatch(sentence);
    }
    expect(world.twilio.calls).toHaveLength(0);
    expect((await server.tool('list-calls', {})).data.calls).toEqual([]);
    front.manner = 'works';
    await server.place();
    expect(world.twilio.calls).toHaveLength(1);
  });

  it('is not tried where PREFLIGHT=false says that this machine cannot reach it', async () => {
    const world = here.later(await ringingForEver());
    const env = {
      ...world.env,
      DATA_DIR: here.folder(),
      PUBLIC_URL: 'https://calls.example.com',
      PORT: '0',
      PREFLIGHT: 'false',
    };
    const server = await here.start({ env, args: ['--simulate'] });
    await server.place();
    expect(world.twilio.calls).toHaveLength(1);
  });

  it('leads nowhere: told before anything is dialled', async () => {
    const world = here.later(await ringingForEver());
    const gone = createTcpServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    gone.close();
    await once(gone, 'close');
    const env = { ...world.env, DATA_DIR: here.folder(), PUBLIC_URL: `http://127.0.0.1:${port}`, PORT: '0' };
    const server = await here.start({ env, args: ['--simulate'] });
    expect(await refusal(server)).toMatch(/cannot be reached: the connection was refused.*proxy or tunnel/);
    expect(world.twilio.calls).toHaveLength(0);
  });

  it('leads to another process of the same program: told before anything is dialled', async () => {
    const world = here.later(await ringingForEver());
    const env = { ...world.env, DATA_DIR: here.folder() };
    const one = await here.start({ env, args: ['--simulate'] });
    const PUBLIC_URL = `http://127.0.0.1:${await one.listeningPort()}`;
    const other = await here.start({
      env: { ...env, DATA_DIR: here.folder(), PUBLIC_URL, PORT: '0' },
      args: ['--simulate'],
    });
    expect(await refusal(other)).toMatch(/another instance of this server/);
    expect(world.twilio.calls).toHaveLength(0);
  });
});
