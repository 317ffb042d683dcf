import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createPublicServer, type PublicServer, type PublicServerOptions } from '../../src/http/server.ts';
import { calmLogger } from '../../src/switchboard/calm-logger.ts';

const open: PublicServer[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(open.splice(0).map((server) => server.stop()));
});

async function listen(options: Partial<PublicServerOptions> = {}) {
  const handled: number[] = [];
  const server = createPublicServer({
    host: '127.0.0.1',
    port: 0,
    webhooks: [
      {
        method: 'POST',
        path: '/call/status/:token',
        handle: ({ form }) => {
          handled.push(Object.keys(form).length);
          return { status: 200, contentType: 'text/plain', body: 'x'.repeat(30_000) };
        },
      },
    ],
    sockets: [
      {
        path: '/call/stream/:token',
        authorize: ({ params }) => (params.token === 'good' ? { accept: true } : { accept: false, status: 403 }),
        connect: () => undefined,
      },
    ],
    healthProof: (nonce) => nonce,
    ...options,
  });
  open.push(server);
  const { port } = await server.start();
  const knock = (text = ''): Socket & { readonly gone: Promise<string> } => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    let heard = '';
    socket.on('data', (data) => {
      heard += data.toString('latin1');
    });
    socket.on('error', () => undefined);
    const gone = new Promise<string>((resolve) => socket.once('close', () => resolve(heard)));
    socket.write(text);
    return Object.assign(socket, { gone });
  };
  const health = async (): Promise<number> => (await fetch(`http://127.0.0.1:${port}/health`)).status;
  return { port, handled, knock, health, base: `http://127.0.0.1:${port}` };
}

const UPGRADE =
  'GET /call/stream/good HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';

describe('the public listener under siege', () => {
  it('keeps the newest strangers, lets the idlest go, and never an accepted stream', async () => {
    const { knock, health } = await listen({ maxStrangers: 20 });
    const began = performance.now();
    const stream = knock(UPGRADE);
    await once(stream, 'data');
    const first = knock('POST /call/status/t HTTP/1.1\r\nHost: h\r\nX-Slow: ');
    await once(first, 'connect');
    const crowd = Array.from({ length: 60 }, () => knock('GET /hea'));
    await first.gone;
    await Promise.all(crowd.slice(0, 35).map(({ gone }) => gone));
    // Long before any of them is cut for being slow.
    expect(performance.now() - began).toBeLessThan(6_000);
    expect(await health()).toBe(200);
    expect(crowd.filter(({ destroyed }) => !destroyed).length).toBeLessThanOrEqual(20);
    expect(stream.destroyed).toBe(false);
  });

  it.each([
    ['says nothing at all', ''],
    ['sends its headers byte by byte', 'POST /call/status/t HTTP/1.1\r\nHost: h\r\nX: y'],
    ['sends its body byte by byte', 'POST /call/status/t HTTP/1.1\r\nHost: h\r\nContent-Length: 90\r\n\r\n'],
  ])('cuts a client that %s, however steadily it drips', async (_what, text) => {
    const { knock, handled } = await listen({ headersTimeoutMs: 200, requestTimeoutMs: 400 });
    const socket = knock(text);
    const drip = text === '' ? undefined : setInterval(() => socket.write('z'), 20);
    const began = performance.now();
    await socket.gone;
    clearInterval(drip);
    expect(performance.now() - began).toBeLessThan(4_000);
    expect(handled).toEqual([]);
  });

  it('cuts a client that asks and asks and never reads', async () => {
    const { knock, handled, health } = await listen({ stallTimeoutMs: 300 });
    const request = 'POST /call/status/t HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n';
    const socket = knock();
    socket.pause();
    const asking = setInterval(() => socket.write(request.repeat(50)), 10);
    const began = performance.now();
    await socket.gone;
    clearInterval(asking);
    expect(performance.now() - began).toBeLessThan(8_000);
    expect(handled.length).toBeLessThan(2_000);
    expect(await health()).toBe(200);
  });

  it.each([
    ['announced', 'Content-Length: 999999999\r\n\r\na=b'],
    ['sent in pieces', `Transfer-Encoding: chunked\r\n\r\n11000\r\n${'x'.repeat(0x11000)}\r\n5\r\n`],
  ])(
    'answers an oversize body that is %s with 413 before it has come, and cuts the connection',
    async (_what, rest) => {
      const { knock, handled } = await listen();
      const head = 'POST /call/status/t HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n';
      const began = performance.now();
      expect(await knock(head + rest).gone).toMatch(/^HTTP\/1.1 413/);
      expect(performance.now() - began).toBeLessThan(4_000);
      expect(handled).toEqual([]);
    },
  );

  it('turns a form of a thousand fields away before anybody sorts and signs it', async () => {
    const { base, handled } = await listen();
    const form = (fields: number): Promise<Response> =>
      fetch(`${base}/call/status/t`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: Array.from({ length: fields }, (_, index) => `f${index}=1`).join('&'),
      });
    expect((await form(1_000)).status).toBe(400);
    expect((await form(300)).status).toBe(200);
    expect(handled).toEqual([300]);
  });
});

describe('the log of what strangers do', () => {
  it('is written sixty times a minute for one sentence, and then says how many were left out', () => {
    const lines: { readonly fields: object; readonly message: string }[] = [];
    const write = (fields: object, message: string): void => void lines.push({ fields, message });
    let nowMs = 0;
    const clock = { now: () => nowMs, wall: () => nowMs, setTimer: () => () => undefined };
    const log = calmLogger({ debug: write, info: write, warn: write, error: write }, clock);
    for (let index = 0; index < 5_000; index += 1) {
      log.warn({ why: 'signature' }, 'A webhook was refused');
      nowMs += 10;
    }
    log.error({}, 'A webhook was refused');
    log.warn({}, 'Something else');
    expect(lines).toHaveLength(62);
    expect(lines[59]?.fields).toEqual({ why: 'signature', silentForMs: 60_000 });
    nowMs = 60_000;
    log.warn({ why: 'token' }, 'A webhook was refused');
    log.warn({ why: 'token' }, 'A webhook was refused');
    expect(lines.slice(62).map(({ fields }) => fields)).toEqual([{ why: 'token', leftOut: 4_940 }, { why: 'token' }]);
  });
});
