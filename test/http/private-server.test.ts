import { connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import {
  createPrivateServer,
  metricsRoute,
  type PrivateServerOptions,
  type Readiness,
  readyRoute,
} from '../../src/http/private-server.ts';
import { ADDRESSES, ask, OPEN } from './private-rig.ts';

const TOKEN = 'a-token-of-the-operator-0123456789';
const READY: Readiness = { reasons: [], liveCalls: 2, simulated: true };

const stops: (() => Promise<void>)[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const stop of stops.splice(0)) await stop();
});

const WITH_TOKEN = { ...OPEN, authToken: TOKEN };

async function started(options: Partial<PrivateServerOptions> = {}, look: () => Readiness = () => READY) {
  const metrics = createMetrics({ simulated: true, processFigures: false });
  const server = createPrivateServer({
    host: '127.0.0.1',
    port: 0,
    door: OPEN,
    addresses: ADDRESSES,
    routes: [metricsRoute(metrics), readyRoute(look)],
    ...options,
  });
  const { port } = await server.start();
  stops.push(async () => {
    await server.stop();
    metrics.close();
  });
  return { port, metrics };
}

/** A connection by hand: what it heard until it was closed, and when it heard something first. */
function knock(port: number, text: string): Socket & { readonly gone: Promise<string>; readonly heard: Promise<void> } {
  const socket = connect(port, '127.0.0.1', () => socket.write(text));
  sockets.push(socket);
  let words = '';
  const first = Promise.withResolvers<void>();
  socket.on('data', (data) => {
    words += data.toString('latin1');
    first.resolve();
  });
  socket.on('error', () => undefined);
  const gone = new Promise<string>((resolve) => socket.once('close', () => resolve(words)));
  return Object.assign(socket, { gone, heard: first.promise });
}

describe('the private listener', () => {
  it('answers /metrics in the form of Prometheus and 404 for what is not there', async () => {
    const { port, metrics } = await started();
    metrics.meter.callPlaced();
    const answer = await ask(port, '/metrics');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.body).toContain('\nswitchboard_calls_placed_total 1\n');
    expect((await ask(port, '/health')).status).toBe(404);
    const other = await ask(port, '/metrics', {}, { method: 'POST' });
    expect([other.status, other.headers.allow]).toEqual([405, 'GET, OPTIONS']);
  });

  it('says ready with 200, and what stands in the way with 503', async () => {
    let readiness = READY;
    const { port } = await started({}, () => readiness);
    const ready = await ask(port, '/ready');
    expect([ready.status, JSON.parse(ready.body)]).toEqual([
      200,
      { status: 'ready', reasons: [], liveCalls: 2, simulated: true },
    ]);
    readiness = { reasons: ['Calls cannot be placed yet: OPENAI_API_KEY is not set.'], liveCalls: 0, simulated: false };
    const not = await ask(port, '/ready');
    expect([not.status, JSON.parse(not.body)]).toEqual([
      503,
      { status: 'not-ready', reasons: readiness.reasons, liveCalls: 0, simulated: false },
    ]);
  });

  it('without a token refuses a page of the web that made its name lead here, or sends from elsewhere, on every path', async () => {
    const { port } = await started();
    const foreign: Record<string, string>[] = [
      { host: `attacker.example.com:${port}` },
      { host: 'attacker.example.com' },
      { host: `127.0.0.1.example.com:${port}` },
      { origin: 'https://attacker.example.com' },
      { origin: 'null' },
    ];
    for (const headers of foreign) {
      for (const path of ['/metrics', '/ready', '/nothing']) {
        const answer = await ask(port, path, headers);
        expect(answer.status, JSON.stringify(headers)).toBe(403);
        expect(answer.body).not.toContain('switchboard_');
        expect(answer.headers['access-control-allow-origin']).toBeUndefined();
      }
    }
    const ours = [`localhost:${port}`, `127.0.0.1:${port}`, '[::1]', 'localhost:9999'];
    for (const host of ours) expect((await ask(port, '/ready', { host })).status, host).toBe(200);
    expect((await ask(port, '/ready', { origin: 'http://localhost:3000' })).status).toBe(200);
  });

  it('with a token asks for it on every path, known or not', async () => {
    const { port } = await started({ door: WITH_TOKEN });
    const wrong = ['', `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(0, -1)}`, `Basic ${TOKEN}`, TOKEN, 'Bearer'];
    for (const authorization of wrong) {
      for (const path of ['/metrics', '/ready', '/nothing']) {
        const answer = await ask(port, path, authorization === '' ? {} : { authorization });
        expect(answer.status, authorization).toBe(401);
        const challenge = /^Bearer \S/.test(authorization) ? ', error="invalid_token"' : '';
        expect(answer.headers['www-authenticate']).toBe(`Bearer realm="switchboard"${challenge}`);
        expect(answer.body).not.toContain(TOKEN);
      }
    }
    const authorization = `Bearer ${TOKEN}`;
    expect((await ask(port, '/metrics', { authorization })).status).toBe(200);
    expect((await ask(port, '/nothing', { authorization })).status).toBe(404);
  });

  it('does not start where other machines could reach it without a token, and does with one', async () => {
    const options = { host: '0.0.0.0', port: 0, addresses: ADDRESSES, routes: [readyRoute(() => READY)] };
    const refused = createPrivateServer({ ...options, door: OPEN }).start();
    await expect(refused).rejects.toThrow(/MCP_AUTH_TOKEN/);
    const { port } = await started({ host: '0.0.0.0', door: WITH_TOKEN });
    expect((await ask(port, '/ready')).status).toBe(401);
    expect((await ask(port, '/ready', { authorization: `Bearer ${TOKEN}` })).status).toBe(200);
  });

  it('says in a sentence that its port is taken, and may be started again when it is free', async () => {
    const holder = createServer();
    const port = await new Promise<number>((resolve) => {
      holder.listen(0, '127.0.0.1', () => resolve((holder.address() as { port: number }).port));
    });
    const server = createPrivateServer({
      host: '127.0.0.1',
      port,
      door: OPEN,
      addresses: ADDRESSES,
      routes: [readyRoute(() => READY)],
    });
    stops.push(() => server.stop());
    const failure = await server.start().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConfigError);
    expect(String(failure)).toContain(`Port ${port} on 127.0.0.1 is taken`);
    expect(String(failure)).toContain('MCP_PORT');
    await new Promise((resolve) => holder.close(resolve));
    await server.start();
    expect((await ask(port, '/ready')).status).toBe(200);
  });

  it('answers a route that fails with a sentence of ours, and logs it', async () => {
    const logged: string[] = [];
    const logger = { warn: () => undefined, error: (_: object, message: string) => void logged.push(message) };
    const broken = () => Promise.reject(new Error('the words of a stranger'));
    const { port } = await started({
      logger,
      routes: [{ methods: ['GET'], path: '/broken', scope: 'any', handle: broken }],
    });
    const answer = await ask(port, '/broken');
    expect([answer.status, answer.body.includes('stranger')]).toEqual([500, false]);
    expect(logged).toEqual(['A request failed']);
  });

  it('lets the idlest stranger go when there are too many, and never who has shown the token', async () => {
    const { port } = await started({ door: WITH_TOKEN, maxStrangers: 10 });
    const friend = knock(
      port,
      `GET /ready HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n\r\nGET /re`,
    );
    await friend.heard;
    const refused = knock(port, 'GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\nGET /re');
    await refused.heard;
    const crowd = Array.from({ length: 30 }, () => knock(port, 'GET /re'));
    await Promise.all([refused, ...crowd.slice(0, 15)].map(({ gone }) => gone));
    expect(friend.destroyed).toBe(false);
    expect((await ask(port, '/ready', { authorization: `Bearer ${TOKEN}` })).status).toBe(200);
  });

  it('closes a connection that stands still, before or in the middle of a request', async () => {
    const { port } = await started({ stallTimeoutMs: 200 });
    const began = performance.now();
    await Promise.all([knock(port, ''), knock(port, 'GET /ready HTTP/1.1\r\nHost: loc')].map(({ gone }) => gone));
    // Long before either is cut for its slow headers.
    expect(performance.now() - began).toBeLessThan(6_000);
    expect((await ask(port, '/ready')).status).toBe(200);
  });

  it('switches to no other protocol and is no proxy', async () => {
    const { port } = await started();
    const upgrade =
      'GET /ready HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
    const upgrading = knock(port, upgrade.replace('Upgrade\r\nSec', 'Upgrade, close\r\nSec'));
    expect(await upgrading.gone).toMatch(/^HTTP\/1\.1 200 /);
    const tunnel = knock(port, 'CONNECT example.com:443 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(await tunnel.gone).toBe('');
  });
});
