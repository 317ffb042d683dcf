import { connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { MediaSocket, SocketRoute, Webhook, WebhookRequest } from '../../src/carriers/carrier.ts';
import { ConfigError, UserInputError } from '../../src/errors.ts';
import { createPublicServer, type PublicServer, type PublicServerOptions } from '../../src/http/server.ts';

const open: PublicServer[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.stop()));
});

interface Logged {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

async function listen(options: Partial<PublicServerOptions> = {}) {
  const logged: Logged[] = [];
  const log = (fields: Readonly<Record<string, unknown>>, message: string) => logged.push({ fields, message });
  const server = createPublicServer({
    host: '127.0.0.1',
    port: 0,
    webhooks: [],
    sockets: [],
    healthProof: (nonce) => `proof of ${nonce}`,
    logger: { warn: log, error: log },
    ...options,
  });
  open.push(server);
  const { port } = await server.start();
  return { server, port, base: `http://127.0.0.1:${port}`, socketBase: `ws://127.0.0.1:${port}`, logged };
}

function webhook(handle: Webhook['handle'], path = '/call/outgoing/:token'): Webhook {
  return { method: 'POST', path, handle };
}

function socketRoute(
  connectTo: (socket: MediaSocket) => void,
  accept: (token: string) => number = () => 101,
): SocketRoute {
  return {
    path: '/call/stream/:token',
    authorize: ({ params }) => {
      const status = accept(params.token ?? '');
      return status === 101 ? { accept: true } : { accept: false, status };
    },
    connect: (socket) => connectTo(socket),
  };
}

const ok = { status: 200, contentType: 'text/xml; charset=utf-8', body: '<Response/>' };

/** The status of the upgrade's answer: 101 when it opened. */
function upgrade(url: string): Promise<{ status: number; socket: WebSocket }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { perMessageDeflate: true });
    socket.on('open', () => resolve({ status: 101, socket }));
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, socket });
    });
    socket.on('error', reject);
  });
}

function closing(socket: WebSocket): Promise<number> {
  return new Promise((resolve) => socket.on('close', resolve));
}

function gone(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (data) => {
      text += data.toString();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
}

describe('the public listener', () => {
  it('answers /health, and a nonce with the proof that only this process has', async () => {
    const { base } = await listen();
    expect(await (await fetch(`${base}/health`)).json()).toEqual({ status: 'ok' });
    const response = await fetch(`${base}/health?nonce=n1`);
    expect(await response.json()).toEqual({ status: 'ok', proof: 'proof of n1' });
    expect(response.headers.get('x-powered-by')).toBeNull();
    for (const odd of ['nonce=', 'nonce=a&nonce=b', 'nonce[x]=1', `nonce=${'x'.repeat(201)}`]) {
      expect(await (await fetch(`${base}/health?${odd}`)).json()).toEqual({ status: 'ok' });
    }
  });

  it('gives a webhook its token, target, headers and form, and sends its reply', async () => {
    const seen: WebhookRequest[] = [];
    const { base } = await listen({
      webhooks: [
        webhook((request) => {
          seen.push(request);
          return ok;
        }),
      ],
    });
    const response = await fetch(`${base}/call/outgoing/abc-1?x=%20y`, {
      method: 'POST',
      headers: { 'X-Twilio-Signature': 'sig' },
      body: new URLSearchParams([
        ['CallSid', 'CA1'],
        ['Digit', '1'],
        ['Digit', '2'],
        ['__proto__', 'field'],
        ['Text', 'a+b & ü'],
      ]),
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/xml; charset=utf-8');
    expect(await response.text()).toBe('<Response/>');
    const [request] = seen;
    expect(request?.params).toEqual({ token: 'abc-1' });
    expect(request?.target).toBe('/call/outgoing/abc-1?x=%20y');
    expect(request?.headers['x-twilio-signature']).toBe('sig');
    expect(Object.entries(request?.form ?? {})).toEqual([
      ['CallSid', 'CA1'],
      ['Digit', ['1', '2']],
      ['__proto__', 'field'],
      ['Text', 'a+b & ü'],
    ]);
  });

  it('reads nothing but forms, and no form above 64 KiB', async () => {
    const forms: unknown[] = [];
    const { base } = await listen({
      webhooks: [
        webhook(({ form }) => {
          forms.push({ ...form });
          return ok;
        }),
      ],
    });
    const url = `${base}/call/outgoing/t`;
    await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"CallSid":"CA1"}' });
    expect(forms).toEqual([{}]);
    const large = await fetch(url, { method: 'POST', body: new URLSearchParams({ a: 'x'.repeat(65 * 1024) }) });
    expect(large.status).toBe(413);
    expect(await large.json()).toEqual({ error: 'The request is too large.' });
    const packed = await fetch(url, {
      method: 'POST',
      headers: { 'content-encoding': 'gzip', 'content-type': 'application/x-www-form-urlencoded' },
      body: 'a',
    });
    expect(packed.status).toBe(415);
    expect(forms).toHaveLength(1);
  });

  it('answers 404 to every other path and method, the hidden path of a socket route included', async () => {
    const { base } = await listen({ webhooks: [webhook(() => ok)], sockets: [socketRoute(() => undefined)] });
    const asked: [string, string][] = [
      ['GET', '/'],
      ['GET', '/call/outgoing/t'],
      ['POST', '/call/outgoing'],
      ['POST', '/call/outgoing/t/u'],
      ['POST', '/CALL/outgoing/t'],
      ['GET', '/call/stream/t'],
      ['GET', '/call/stream/t/.websocket'],
      ['GET', '/metrics'],
      ['GET', '/HEALTH'],
      ['POST', '/call/outgoing/%ff'],
    ];
    for (const [method, path] of asked) {
      const response = await fetch(base + path, { method });
      expect([method, path, [400, 404].includes(response.status)]).toEqual([method, path, true]);
      expect(await response.text()).not.toMatch(/node_modules|at .*\(|express/i);
    }
  });

  it('turns a thrown handler into a sentence without its text, and lives on', async () => {
    const { base, logged } = await listen({
      webhooks: [
        webhook(() => {
          throw new Error('secret detail');
        }),
        webhook(() => Promise.reject(new UserInputError('Give a number.')), '/call/status/:token'),
      ],
    });
    const broken = await fetch(`${base}/call/outgoing/tokentoken`, { method: 'POST' });
    expect(broken.status).toBe(500);
    expect(await broken.json()).toEqual({ error: 'The server failed to answer. Its log says why.' });
    expect(logged[0]?.fields.route).toBe('/call/outgoing/:token');
    expect(JSON.stringify(logged)).not.toContain('tokentoken');
    const said = await fetch(`${base}/call/status/t`, { method: 'POST' });
    expect([said.status, await said.json()]).toEqual([400, { error: 'Give a number.' }]);
    expect((await fetch(`${base}/health`)).status).toBe(200);
  });

  it('refuses at the upgrade: an unknown path with 404, a bad token with its route’s status', async () => {
    const connected: MediaSocket[] = [];
    const { socketBase } = await listen({
      sockets: [
        socketRoute(
          (socket) => connected.push(socket),
          (token) => {
            if (token === 'broken') throw new Error('no');
            return token === 'good' ? 101 : 403;
          },
        ),
      ],
    });
    expect((await upgrade(`${socketBase}/`)).status).toBe(404);
    expect((await upgrade(`${socketBase}/health`)).status).toBe(404);
    expect((await upgrade(`${socketBase}/call/stream/bad`)).status).toBe(403);
    expect((await upgrade(`${socketBase}/call/stream/broken`)).status).toBe(500);
    expect((await upgrade(`${socketBase}/call/stream/good/.websocket`)).status).toBe(404);
    expect(connected).toHaveLength(0);
    const { status, socket } = await upgrade(`${socketBase}/call/stream/good`);
    expect(status).toBe(101);
    expect(socket.extensions).toBe('');
    const slashed = await upgrade(`${socketBase}/call/stream/good/`);
    expect(slashed.status).toBe(101);
    expect(connected).toHaveLength(2);
  });

  it('carries text and bytes both ways in order, and tells of the close', async () => {
    const received: string[] = [];
    let told: (code: number) => void = () => undefined;
    const closed = new Promise<number>((resolve) => {
      told = resolve;
    });
    const { socketBase } = await listen({
      sockets: [
        socketRoute((socket) => {
          socket.onMessage((data, isBinary) => {
            received.push(`${isBinary}:${data.toString('hex')}`);
            socket.send(isBinary ? new Uint8Array(data) : data.toString());
          });
          socket.onClose((code) => told(code));
        }),
      ],
    });
    const { socket } = await upgrade(`${socketBase}/call/stream/t`);
    const echoes: string[] = [];
    const both = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer, isBinary) => {
        echoes.push(`${isBinary}:${data.toString('hex')}`);
        if (echoes.length === 2) resolve();
      });
    });
    socket.send('hi');
    socket.send(Buffer.from([0, 255]));
    await both;
    expect(received).toEqual(['false:6869', 'true:00ff']);
    expect(echoes).toEqual(received);
    socket.close(1000);
    expect(await closed).toBe(1000);
  });

  it('survives a frame above 256 KiB, a broken frame and a handler that throws', async () => {
    const { base, port, socketBase } = await listen({
      sockets: [
        socketRoute((socket) => {
          socket.onMessage(() => {
            throw new Error('bad handler');
          });
        }),
      ],
    });
    const large = await upgrade(`${socketBase}/call/stream/t`);
    const closedLarge = closing(large.socket);
    large.socket.send(Buffer.alloc(257 * 1024));
    expect(await closedLarge).toBe(1009);
    const thrown = await upgrade(`${socketBase}/call/stream/t`);
    const closedThrown = closing(thrown.socket);
    thrown.socket.send('x');
    expect(await closedThrown).toBe(1011);
    const raw = connect(port, '127.0.0.1');
    const end = gone(raw);
    raw.write(
      'GET /call/stream/t HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    await new Promise((resolve) => raw.once('data', resolve));
    raw.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    await end;
    expect((await fetch(`${base}/health`)).status).toBe(200);
  });

  it.each([
    ['headers', { headersTimeoutMs: 150, requestTimeoutMs: 15_000 }, 'POST /call/outgoing/t HTTP/1.1\r\nHost: h\r\n'],
    [
      'body',
      { headersTimeoutMs: 150, requestTimeoutMs: 300 },
      'POST /call/outgoing/t HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nCall',
    ],
  ])(
    'gives up on a client that is slow to send its %s',
    async (_what, timeouts, text) => {
      const { port } = await listen({ ...timeouts, webhooks: [webhook(() => ok)] });
      const socket = connect(port, '127.0.0.1');
      const answer = gone(socket);
      socket.write(text);
      expect(await answer).toContain('408');
    },
    5_000,
  );

  it('names the port that is taken, and starts once it is free', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const address = blocker.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const server = createPublicServer({
      host: '127.0.0.1',
      port,
      webhooks: [],
      sockets: [],
      healthProof: (nonce) => nonce,
    });
    open.push(server);
    const failure = await server.start().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConfigError);
    expect(String(failure)).toContain(`Port ${port} on 127.0.0.1 is taken`);
    await new Promise((resolve) => blocker.close(resolve));
    expect(await server.start()).toEqual({ port });
  });

  it('stops within its bound although a socket never answers the close', async () => {
    const { server, port } = await listen({ sockets: [socketRoute(() => undefined)], stopTimeoutMs: 200 });
    const raw = connect(port, '127.0.0.1');
    const end = gone(raw);
    raw.write(
      'GET /call/stream/t HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    await new Promise((resolve) => raw.once('data', resolve));
    const began = performance.now();
    await server.stop();
    expect(performance.now() - began).toBeLessThan(2_000);
    await end;
    await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow();
  });
});
