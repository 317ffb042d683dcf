import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { compose } from '../../src/compose.ts';
import { readConfig } from '../../src/config/config.ts';
import { scrape } from '../fixtures/exposition.ts';
import { until } from '../fixtures/mcp-pair.ts';
import { processes, type ServerProcess } from './process.ts';
import { ASKS, inMidSentence, SENTENCES, shortCalls } from './short-calls.ts';

const here = processes();
afterEach(() => here.cleanUp());

const CANARY = 'canary-0123456789abcdef0123456789';

async function privatePort(server: ServerProcess): Promise<number> {
  const logged = () => /"port":(\d+),"msg":"private listener is listening"/.exec(server.log)?.[1];
  await until(() => logged() !== undefined, 30_000);
  return Number(logged());
}

async function ready(port: number, headers: Record<string, string> = {}) {
  const response = await fetch(`http://127.0.0.1:${port}/ready`, { headers });
  return { status: response.status, body: await response.text() };
}

/** A port that somebody holds until `free` is called. */
async function heldPort(): Promise<{ readonly port: number; free(): Promise<void> }> {
  const holder = createServer();
  const port = await new Promise<number>((resolve) => {
    holder.listen(0, '127.0.0.1', () => resolve((holder.address() as { port: number }).port));
  });
  return { port, free: () => new Promise((resolve) => holder.close(() => resolve())) };
}

describe('switchboard serve', { timeout: 60_000 }, () => {
  it('serves both listeners until a signal comes, says where, and keeps what is private off the public one', async () => {
    const server = here.spawn({
      args: ['--simulate', 'serve'],
      env: { MCP_PORT: '0', MCP_AUTH_TOKEN: CANARY, DATA_DIR: here.folder() },
    });
    const [outer, inner] = [await server.listeningPort(), await privatePort(server)];
    await until(() => server.log.includes(`readiness at http://127.0.0.1:${inner}/ready`));
    expect(server.log).toContain(`webhooks and audio at http://127.0.0.1:${outer}`);
    expect((await ready(inner)).status).toBe(401);
    const answer = await ready(inner, { authorization: `Bearer ${CANARY}` });
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      200,
      { status: 'ready', reasons: [], liveCalls: 0, simulated: true },
    ]);
    for (const path of ['/metrics', '/ready']) {
      expect((await fetch(`http://127.0.0.1:${outer}${path}`)).status, path).toBe(404);
    }
    expect((await fetch(`http://127.0.0.1:${outer}/health`)).status).toBe(200);
    server.signal('SIGTERM');
    expect(await server.exit).toEqual({ code: 0, signal: null });
    expect(server.stdout).toEqual([]);
    expect(server.log).not.toContain(CANARY);
  });

  it('lets a web page of an origin that was named use MCP and read its answers, and no other page', async () => {
    const server = here.spawn({
      args: ['--simulate', 'serve'],
      env: { MCP_PORT: '0', DATA_DIR: here.folder(), MCP_ALLOWED_ORIGINS: 'https://app.example.com' },
    });
    const url = `http://127.0.0.1:${await privatePort(server)}/mcp`;
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'page', version: '0' } };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
    const from = (origin: string) => ({
      origin,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    });
    const asked = await fetch(url, { method: 'OPTIONS', headers: from('https://app.example.com') });
    expect(asked.status).toBe(204);
    expect(asked.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(asked.headers.get('access-control-allow-headers')).toMatch(/Mcp-Session-Id.*Last-Event-ID/);
    const opened = await fetch(url, { method: 'POST', headers: from('https://app.example.com'), body });
    expect(opened.status).toBe(200);
    expect(opened.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(opened.headers.get('access-control-expose-headers')).toContain('Mcp-Session-Id');
    const other = await fetch(url, { method: 'POST', headers: from('https://evil.example.com'), body });
    expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  });

  it('without settings says what is missing instead of being ready, and shows no secret that it has', async () => {
    const env = { MCP_PORT: '0', PORT: '0', DATA_DIR: here.folder(), TWILIO_AUTH_TOKEN: CANARY };
    const server = here.spawn({ args: ['serve'], env });
    const { status, body } = await ready(await privatePort(server));
    expect(status).toBe(503);
    expect(body).toContain('OPENAI_API_KEY');
    expect(body).not.toContain('TWILIO_AUTH_TOKEN');
    await until(() => server.log.includes('switchboard: Calls cannot be placed yet'));
    server.signal('SIGINT');
    expect(await server.exit).toEqual({ code: 0, signal: null });
    expect(`${body}${server.log}`).not.toContain(CANARY);
  });

  it('does not start with settings that cannot be read, and says all of them', async () => {
    const server = here.spawn({
      args: ['serve'],
      env: { PORT: 'eighty', MCP_HOST: '0.0.0.0', DATA_DIR: here.folder() },
    });
    expect(await server.exit).toEqual({ code: 1, signal: null });
    expect(server.log).toMatch(/switchboard: PORT .*\n.*MCP_AUTH_TOKEN/);
  });

  it('lives on while the port of its private listener is taken, says so, and takes it when it is free', async () => {
    const held = await heldPort();
    const dataDir = mkdtempSync(join(tmpdir(), 'switchboard-serve-'));
    const log: string[] = [];
    const reading = readConfig({ env: { DATA_DIR: dataDir, MCP_PORT: String(held.port) }, argv: ['--simulate'] });
    const logger = pino({}, { write: (line: string) => void log.push(line) });
    const app = compose({ reading, logger, privateListener: true, retryMs: 50 });
    try {
      await app.started;
      expect(app.status()).toEqual([expect.stringContaining(`Port ${held.port} on 127.0.0.1 is taken`)]);
      // Calls can be placed all the same.
      expect(app.readiness()).toEqual([]);
      expect(app.listening().private).toBeNull();
      await held.free();
      await until(() => app.listening().private !== null, 10_000);
      expect((await ready(held.port)).status).toBe(200);
      expect(app.status()).toEqual([]);
      // One sentence, however often it was tried.
      expect(log.filter((line) => line.includes('is taken'))).toHaveLength(1);
    } finally {
      await app.stop(0);
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});

describe('the private listener beside an MCP client', { timeout: 60_000 }, () => {
  it('is there with --http, counts the calls, and can still be read while the server says goodbye', async () => {
    const world = here.later(await shortCalls(ASKS));
    const to = '+14155550123';
    const env = { ...world.env, MCP_PORT: '0', DATA_DIR: here.folder() };
    const server = await here.start({ env, args: ['--simulate', '--http'] });
    const port = await privatePort(server);
    await server.place({ toNumber: to });
    await inMidSentence(world, to, SENTENCES.asks);
    expect((await scrape(port)).get('switchboard_calls_live{state="answered"}')).toBe(1);
    expect(JSON.parse((await ready(port)).body)).toMatchObject({ status: 'ready', liveCalls: 1 });
    server.signal('SIGTERM');
    let draining = await ready(port);
    while (draining.status === 200) draining = await ready(port);
    expect(draining.status).toBe(503);
    expect(draining.body).toContain('shutting down');
    expect((await scrape(port)).get('switchboard_calls_placed_total')).toBe(1);
    expect(await server.exit).toEqual({ code: 0, signal: null });
    expect(server.foreign).toEqual([]);
  });

  it('is not there without it', async () => {
    const held = await heldPort();
    await held.free();
    const env = { MCP_PORT: String(held.port), DATA_DIR: here.folder() };
    const server = await here.start({ env, args: ['--simulate'] });
    await server.listeningPort();
    await server.tool('list-calls', {});
    await expect(fetch(`http://127.0.0.1:${held.port}/metrics`)).rejects.toThrow();
    expect(server.log).not.toContain('private listener');
  });
});

describe('a command line that cannot be run', { timeout: 30_000 }, () => {
  it('with --json still prints one object on stdout', async () => {
    const server = here.spawn({ args: ['dance', '--json'] });
    expect(await server.exit).toEqual({ code: 2, signal: null });
    expect(server.stdout.map((line) => JSON.parse(line))).toEqual([
      { error: expect.stringContaining('there is no command "dance"') },
    ]);
  });

  it.each(['call', 'serve', 'purge'])('of %s that asks for help gets it, and nothing is done', async (command) => {
    const asked = here.spawn({ args: [command, '--help'] });
    expect(await asked.exit).toEqual({ code: 0, signal: null });
    expect(asked.log).toBe('');
    expect(asked.stdout.join('\n')).toContain(`switchboard ${command}`);
  });
});
