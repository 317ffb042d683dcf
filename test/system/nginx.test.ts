import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { DoctorReport } from '../../src/cli/doctor.ts';
import { SETTINGS } from '../../src/config/schema.ts';
import type { Script } from '../../src/simulator/callee/scripted-callee.ts';
import { certificateIn } from '../fixtures/certificate.ts';
import { freePort } from '../fixtures/free-port.ts';
import { until } from '../fixtures/mcp-pair.ts';
import { processes, type ServerProcess } from '../journeys/process.ts';
import { shortCalls } from '../journeys/short-calls.ts';
import { NGINX, type Nginx, type NginxOptions, SITE, startNginx } from './nginx.ts';

const here = processes();
afterEach(() => here.cleanUp());

/** Is answered, interrupts the request, and says goodbye over the goodbye. */
const INTERRUPTS: Script = {
  rules: [
    { when: { after: 'start', ms: 300 }, act: { say: 'c.greeting' } },
    { when: { after: 'heard', phrase: 'a.request', share: 0.55 }, act: { say: 'c.confirmed' } },
    { when: { after: 'heard', phrase: 'a.goodbye', share: 0.4 }, act: { say: 'c.bye' } },
  ],
  manners: { helloAfterMs: null, hangUpAfterMs: null },
};

/** Base64url of 24 bytes, as the server's own tokens are. */
const TOKEN = 'cGxhbnRlZC10b2tlbi1wbGFudGVk0000';
const ANY_TOKEN = /\/call\/[a-z-]+\/[\w-]{8,}/;

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly location: string | undefined;
}

interface Asked {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function nginx(options: Omit<NginxOptions, 'folder'> & { readonly httpsPort?: number }): Promise<Nginx> {
  return here.later(await startNginx({ httpsPort: await freePort(), ...options, folder: here.folder() }));
}

/** `target` goes out as it is given: no URL parser tidies it up before. */
function ask({ httpsPort }: Nginx, target: string, { method = 'GET', body, headers = {} }: Asked = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: httpsPort,
      path: target,
      method,
      headers,
      rejectUnauthorized: false,
      agent: false,
    };
    const outgoing = httpsRequest(options, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode ?? 0, body: text, location: incoming.headers.location }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** The HTTP status with which an upgrade is answered; 101 when it opens. */
function upgrade({ httpsPort }: Nginx, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`wss://127.0.0.1:${httpsPort}${path}`, { rejectUnauthorized: false });
    socket.on('unexpected-response', (outgoing, incoming) => {
      resolve(incoming.statusCode ?? 0);
      outgoing.destroy();
    });
    socket.on('open', () => {
      resolve(101);
      socket.terminate();
    });
    socket.on('error', reject);
  });
}

/** A request line that no HTTP client would write; answers the status. */
async function raw({ httpsPort }: Nginx, line: string): Promise<number> {
  const socket = connect({ host: '127.0.0.1', port: httpsPort, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  socket.write(`${line}\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
  let text = '';
  for await (const part of socket) text += String(part);
  return Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0);
}

/** In the server's place: takes everything for granted, and remembers what it was asked. */
async function spy(): Promise<{ readonly port: number; readonly seen: string[] }> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(request.url ?? '');
    response.end('seen');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  here.later({
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

interface Installation {
  readonly front: Nginx;
  readonly server: ServerProcess;
  readonly world: Awaited<ReturnType<typeof shortCalls>>;
  readonly env: Readonly<Record<string, string>>;
}

const ENTRY = fileURLToPath(new URL('../../src/cli/cli.ts', import.meta.url));

/** The real server behind nginx, reached by the telephone company and by its own preflight over https and wss only. */
async function installation(script: Script, args: readonly string[] = []): Promise<Installation> {
  const certificate = certificateIn(here.folder());
  const world = here.later(await shortCalls(script, { twilio: { ca: certificate.cert } }));
  const [httpsPort, upstreamPort] = [await freePort(), await freePort()];
  const env = {
    ...world.env,
    DATA_DIR: here.folder(),
    NODE_EXTRA_CA_CERTS: certificate.file,
    PUBLIC_URL: `https://127.0.0.1:${httpsPort}`,
    PORT: String(upstreamPort),
    MCP_PORT: '0',
  };
  const server = await here.start({ env, args: ['--simulate', ...args] });
  const front = await nginx({ certificate, httpsPort, upstreamPort: await server.listeningPort() });
  return { front, server, world, env };
}

/** What `switchboard doctor --json` says, as a process of its own. */
async function doctor(env: Readonly<Record<string, string>>): Promise<DoctorReport> {
  const args = [ENTRY, 'doctor', '--simulate', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: here.folder(), env });
  return JSON.parse(stdout);
}

function verdictOf({ findings }: DoctorReport, check: string): string | undefined {
  return findings.find((finding) => finding.check === check)?.verdict;
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe.skipIf(NGINX === null)('nginx with the site file', { timeout: 90_000 }, () => {
  it('carries a whole call with an interruption, and a reload in the middle of it; no token gets into a log', async () => {
    const { front, server, world } = await installation(INTERRUPTS);
    // The preflight comes first: health and upgrade, by the public URL.
    const callId = await server.place();
    await until(() => (world.twilio.calls[0]?.ear?.heardMs('a.request', 1) ?? 0) > 500, 30_000);
    const [before = 0] = front.workers();
    await front.reload();
    const { data, lines } = await server.follow(callId);
    expect(data).toMatchObject({ outcome: 'completed' });
    expect(lines.map(({ speaker }) => speaker)).toEqual(['callee', 'agent', 'callee', 'agent', 'callee']);
    const [call] = world.twilio.calls;
    expect(call).toMatchObject({ endedBy: 'rest', errors: [], warnings: [] });
    // One stream from the beginning to the end, cut by nothing but the end of the call.
    expect(call?.streams).toHaveLength(1);
    expect(call?.streams[0]?.received.some(({ event }) => event === 'clear')).toBe(true);
    expect(call?.ear?.heardText('a.goodbye', 1)).toContain('lovely evening');
    expect(call?.webhooks.map(({ reply }) => reply?.status)).not.toContain(403);
    expect(call?.webhooks.every(({ url }) => url.startsWith(`https://127.0.0.1:${front.httpsPort}/call/`))).toBe(true);
    // The old worker stayed for the stream, and leaves when it is over.
    await until(() => !alive(before), 15_000);
    const routes = front.accessLog().map((line) => line.split(' ').slice(2, 5).join(' '));
    expect(routes).toContain('GET /health 200');
    expect(routes).toContain('GET /call/connection-outgoing 101');
    expect(routes).toContain('POST /call/outgoing 200');
    expect(routes).toContain('POST /call/status 200');
    const logs = front.logText();
    const tokens = [...(call?.webhooks ?? []), ...(call?.streams ?? [])].map(({ url }) =>
      url.slice(url.lastIndexOf('/') + 1),
    );
    expect(tokens.length).toBeGreaterThan(3);
    expect(tokens.filter((token) => logs.includes(token))).toEqual([]);
    expect(logs).not.toMatch(ANY_TOKEN);
  });

  it('leaves it to the server who may come in by the two doors that there are', async () => {
    const { front, server } = await installation(INTERRUPTS, ['--http']);
    expect(await ask(front, '/health')).toMatchObject({ status: 200, body: '{"status":"ok"}' });
    expect(await upgrade(front, `/call/connection-outgoing/${TOKEN}`)).toBe(403);
    expect(await upgrade(front, '/call/connection-outgoing/')).toBe(404);
    expect(await upgrade(front, '/mcp')).toBe(404);
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': 'c2lnbmVk' };
    const unsigned = { method: 'POST', body: 'CallSid=CA0', headers };
    expect((await ask(front, `/call/outgoing/${TOKEN}`, unsigned)).status).toBe(403);
    // The private listener is there, for this machine.
    const inner = () => /"port":(\d+),"msg":"private listener is listening"/.exec(server.log)?.[1];
    await until(() => inner() !== undefined, 30_000);
    expect((await fetch(`http://127.0.0.1:${inner()}/metrics`)).status).toBe(200);
    for (const path of ['/mcp', '/sse', '/metrics', '/ready', '/']) {
      expect(await ask(front, path), path).toMatchObject({ status: 404, body: expect.stringContaining('nginx') });
    }
    // Nobody was asked behind nginx: five paths and an upgrade. It writes a line when it is done with a request, after its answer.
    const others = () => front.accessLog().filter((line) => line.includes(' other '));
    await until(() => others().length >= 6);
    expect(others()).toHaveLength(6);
    expect(others().filter((line) => !line.endsWith('upstream=-'))).toEqual([]);
  });

  it('stands the look of switchboard doctor, beside a running server and without one; a certificate near its end is told', async () => {
    const { front, server, env } = await installation(INTERRUPTS);
    const good = await doctor(env);
    expect(good).toMatchObject({ ok: true });
    for (const check of ['certificate', 'public URL', 'audio stream']) expect(verdictOf(good, check), check).toBe('ok');
    server.signal('SIGTERM');
    await server.exit;
    expect(verdictOf(await doctor({ ...env, PORT: String(front.upstreamPort) }), 'audio stream')).toBe('ok');
    const short = certificateIn(here.folder(), { days: 5 });
    const late = await nginx({ certificate: short, upstreamPort: front.upstreamPort });
    const PUBLIC_URL = `https://127.0.0.1:${late.httpsPort}`;
    const report = await doctor({
      ...env,
      PORT: String(front.upstreamPort),
      NODE_EXTRA_CA_CERTS: short.file,
      PUBLIC_URL,
    });
    expect(verdictOf(report, 'certificate')).toBe('warn');
    expect(verdictOf(report, 'public URL')).toBe('ok');
  });

  it('passes nothing on but /call/ and /health, however the path is spelt, and no body above 64 KiB', async () => {
    const { port, seen } = await spy();
    const front = await nginx({ certificate: certificateIn(here.folder()), upstreamPort: port });
    const refused = [
      ...[
        '/',
        '/mcp',
        '/mcp/',
        '/sse',
        '/metrics',
        '/ready',
        '/dashboard',
        '/call',
        '/healthz',
        '/health/',
        '/health/x',
        '/HEALTH',
      ],
      ...[
        '//mcp',
        '//call/outgoing/x',
        '/./mcp',
        '/mcp/../call/outgoing/x',
        '/%63all/outgoing/x',
        '/mcp?/call/',
        '/health%3fx',
      ],
      ...[
        '/call/../mcp',
        '/call/%2e%2e/mcp',
        '/call/..%2fmcp',
        '/call/x/../../metrics',
        '/call//../mcp',
        '/health/../mcp',
      ],
    ];
    for (const path of refused) expect((await ask(front, path)).status, path).toBeGreaterThanOrEqual(400);
    for (const line of [
      'GET http://127.0.0.1:8787/mcp HTTP/1.1',
      'CONNECT 127.0.0.1:8787 HTTP/1.1',
      'GET mcp HTTP/1.1',
      'TRACE /call/outgoing/x HTTP/1.1',
    ]) {
      expect(await raw(front, line), line).toBeGreaterThanOrEqual(400);
    }
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      expect((await ask(front, '/call/outgoing/x', { method })).status, method).toBe(403);
    }
    expect((await ask(front, '/health', { method: 'POST', body: '' })).status).toBe(403);
    const large = { method: 'POST', body: 'x'.repeat(64 * 1024 + 1) };
    expect((await ask(front, '/call/outgoing/x', large)).status).toBe(413);
    expect((await ask(front, '/health', { headers: { 'x-long': 'x'.repeat(20_000) } })).status).toBe(400);
    expect(seen).toEqual([]);
    // As it came, for that is what was signed.
    for (const path of ['/call/outgoing/x%2Dy?a=b%20c', '/health?nonce=1']) {
      expect(await ask(front, path), path).toMatchObject({ status: 200, body: 'seen' });
    }
    expect(seen).toEqual(['/call/outgoing/x%2Dy?a=b%20c', '/health?nonce=1']);
  });

  it('writes no token into a log when requests fail; the same look finds the token where the level is another', async () => {
    const certificate = certificateIn(here.folder());
    const trouble = async (spoil?: (site: string) => string): Promise<Nginx> => {
      // Nobody listens there.
      const front = await nginx({ certificate, upstreamPort: await freePort(), ...(spoil ? { spoil } : {}) });
      const path = `/call/outgoing/${TOKEN}`;
      expect((await ask(front, path, { method: 'POST', body: 'a=b' })).status).toBe(502);
      expect((await ask(front, path, { method: 'POST', body: 'x'.repeat(70_000) })).status).toBe(413);
      expect((await ask(front, path, { method: 'DELETE' })).status).toBe(403);
      expect((await ask(front, `/mcp/${TOKEN}`, { headers: { referer: path } })).status).toBe(404);
      expect(await upgrade(front, `/call/connection-outgoing/${TOKEN}`)).toBe(502);
      await until(() => front.accessLog().length >= 5);
      return front;
    };
    const front = await trouble();
    expect(front.logText()).not.toContain(TOKEN);
    expect(front.accessLog().map((line) => line.split(' ').slice(2, 5).join(' '))).toEqual([
      'POST /call/outgoing 502',
      'POST /call/outgoing 413',
      'DELETE /call/outgoing 403',
      'GET other 404',
      'GET /call/connection-outgoing 502',
    ]);
    const careless = await trouble((site) => site.replaceAll('.error.log emerg;', '.error.log error;'));
    expect(careless.logText()).toContain(TOKEN);
  });

  it('leads from http to https by its own name, and leaves the way open to renew the certificate', async () => {
    const front = await nginx({ certificate: certificateIn(here.folder()), upstreamPort: await freePort() });
    const base = `http://127.0.0.1:${front.httpPort}`;
    // Whatever name it was asked by, nobody else's.
    const path = `/call/outgoing/${TOKEN}`;
    const asked = httpRequest({
      host: '127.0.0.1',
      port: front.httpPort,
      path,
      headers: { host: 'other.example.com' },
    });
    asked.end();
    const [reply]: IncomingMessage[] = await once(asked, 'response');
    reply?.resume();
    expect(reply?.statusCode).toBe(301);
    expect(reply?.headers.location).toBe(`https://127.0.0.1${path}`);
    const challenges = join(front.webroot, '.well-known', 'acme-challenge');
    mkdirSync(challenges, { recursive: true });
    writeFileSync(join(challenges, 'abc'), 'challenge');
    expect(await (await fetch(`${base}/.well-known/acme-challenge/abc`)).text()).toBe('challenge');
    expect(front.logText()).not.toContain(TOKEN);
  });
});

describe('the site file', () => {
  it('waits longer for a stream than the longest call lasts', () => {
    for (const name of ['proxy_read_timeout', 'proxy_send_timeout']) {
      const seconds = Number(new RegExp(`${name} (\\d+)s;`).exec(SITE)?.[1]);
      expect(seconds).toBeGreaterThan(0);
      expect(SETTINGS.maxCallSeconds.kind.safeParse(String(seconds)).success, `${name} ${seconds}`).toBe(false);
    }
  });
});
