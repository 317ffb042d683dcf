import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../fixtures/mcp-pair.ts';
import { type Office, openOffice } from './office.ts';
import type { Message } from './process.ts';

/** MCP over HTTP by hand, against the whole server, so that every header and every byte of a stream is seen. */

const ADMIN = 'the-token-of-the-admin-0123456789';
const opened: Office[] = [];
afterEach(async () => {
  for (const office of opened.splice(0)) await office.close();
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Of an event stream: the messages in it, and the ids of all its events. */
  readonly messages: Message[];
  readonly eventIds: string[];
  readonly body: string;
  /** Resolves when the answer has ended. */
  readonly ended: Promise<void>;
  /** Cuts the connection. */
  cut(): void;
}

async function office(settings: Readonly<Record<string, string>> = {}) {
  const one = await openOffice({
    scenario: 'reservation',
    answer: () => ({ kind: 'never' }),
    privateListener: true,
    settings: { MCP_PORT: '0', ...settings },
  });
  opened.push(one);
  return { office: one, port: one.app.listening().private?.port ?? 0 };
}

interface Request {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Resolves when the headers have come; what follows is collected. */
function ask(port: number, { method = 'POST', path = '/mcp', headers = {}, body }: Request): Promise<Answer> {
  const all = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers: all, agent: false }, (response) =>
      resolve(collect(response, () => request.destroy())),
    );
    request.on('error', reject);
    request.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  });
}

function collect(response: IncomingMessage, cut: () => void): Answer {
  const answer = { body: '', messages: [] as Message[], eventIds: [] as string[] };
  let rest = '';
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    answer.body += chunk;
    const events = `${rest}${chunk}`.split('\n\n');
    rest = events.pop() ?? '';
    for (const event of events) {
      const data = /^data: (.+)$/m.exec(event)?.[1];
      const id = /^id: (.+)$/m.exec(event)?.[1];
      if (id !== undefined) answer.eventIds.push(id);
      if (data?.startsWith('{')) answer.messages.push(JSON.parse(data));
    }
  });
  response.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => response.on('close', resolve));
  return Object.assign(answer, { status: response.statusCode ?? 0, headers: response.headers, ended, cut });
}

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 'first',
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'by-hand', version: '1' } },
};

/** The headers of a session that has shaken hands. */
async function session(port: number, headers: Readonly<Record<string, string>> = {}): Promise<Record<string, string>> {
  const answer = await ask(port, { headers, body: INITIALIZE });
  await answer.ended;
  const own = {
    ...headers,
    'mcp-session-id': String(answer.headers['mcp-session-id']),
    'mcp-protocol-version': '2025-11-25',
  };
  const told = await ask(port, { headers: own, body: { jsonrpc: '2.0', method: 'notifications/initialized' } });
  expect(told.status).toBe(202);
  return own;
}

/** A message as it should be, whose request cannot be done. */
const WRONG = { jsonrpc: '2.0', id: 5, method: 'resources/read', params: {} };
const WRONG_ANSWER = {
  jsonrpc: '2.0',
  id: 5,
  error: { code: -32602, message: 'resources/read is not well-formed: look at params.uri.' },
};

function call(name: string, args: object, meta: object = {}) {
  return { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name, arguments: args, ...meta } };
}

/** A call that nobody answers: nothing happens in it any more by itself. */
async function ringing({ place, switchboard }: Office): Promise<string> {
  const callId = await place();
  await expect.poll(async () => (await switchboard.call(callId)).state).toBe('ringing');
  return callId;
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

describe('MCP over Streamable HTTP', () => {
  it.each(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])(
    'speaks %s with who asks for it',
    async (version) => {
      const { port } = await office();
      const params = { ...INITIALIZE.params, protocolVersion: version };
      const answer = await ask(port, { body: { ...INITIALIZE, params } });
      await answer.ended;
      expect(answer.status).toBe(200);
      expect(answer.messages[0]?.result).toMatchObject({
        protocolVersion: version,
        serverInfo: { name: 'switchboard' },
      });
      const own = { 'mcp-session-id': String(answer.headers['mcp-session-id']) };
      const listed = await ask(port, { headers: own, body: { jsonrpc: '2.0', id: 2, method: 'tools/list' } });
      await listed.ended;
      expect(listed.messages[0]?.result?.tools).toHaveLength(7);
    },
  );

  it('answers a newer protocol with its own newest, or with an error that makes a client fall back', async () => {
    const { port } = await office();
    const params = { ...INITIALIZE.params, protocolVersion: '2026-07-28' };
    const answer = await ask(port, { body: { ...INITIALIZE, params } });
    await answer.ended;
    expect(answer.messages[0]?.result?.protocolVersion).toBe('2025-11-25');
    const discover = { jsonrpc: '2.0', id: 1, method: 'server/discover', params: {} };
    expect((await ask(port, { headers: { 'mcp-protocol-version': '2026-07-28' }, body: discover })).status).toBe(400);
  });

  it('says what is wrong with what it cannot take, and goes on', async () => {
    const { port } = await office();
    const own = await session(port);
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
    const cases: readonly (readonly [string, Request, number])[] = [
      ['no session', { body: ping }, 400],
      ['an unknown session', { headers: { 'mcp-session-id': 'nobody' }, body: ping }, 404],
      ['an unknown version', { headers: { ...own, 'mcp-protocol-version': '1999-01-01' }, body: ping }, 400],
      ['no JSON', { headers: own, body: '{' }, 400],
      ['no message', { headers: own, body: { hello: 'world' } }, 400],
      ['wrong parameters without a session', { body: WRONG }, 400],
      ['wrong parameters in an unknown one', { headers: { 'mcp-session-id': 'nobody' }, body: WRONG }, 404],
      ['wrong parameters among others', { headers: own, body: [ping, WRONG] }, 400],
      ['another type', { headers: { ...own, 'content-type': 'text/plain' }, body: ping }, 415],
      ['no streams', { headers: { ...own, accept: 'application/json' }, body: ping }, 406],
      ['too much', { headers: own, body: JSON.stringify({ ...ping, params: { x: 'y'.repeat(1_100_000) } }) }, 413],
      ['another method', { method: 'PUT', headers: own, body: ping }, 405],
      ['a stream without a session', { method: 'GET' }, 400],
    ];
    for (const [what, request, status] of cases) {
      const answer = await ask(port, request);
      expect(answer.status, what).toBe(status);
      await answer.ended;
      expect(answer.body, what).toMatch(/"(message|error)":"?/);
    }
    const answer = await ask(port, { headers: own, body: ping });
    await answer.ended;
    expect(answer.messages).toEqual([{ jsonrpc: '2.0', id: 1, result: {} }]);
  });

  it('answers wrong parameters as any request, with an error under its id', async () => {
    const { port } = await office();
    const answer = await ask(port, { headers: await session(port), body: WRONG });
    await answer.ended;
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json']);
    expect(JSON.parse(answer.body)).toEqual(WRONG_ANSWER);
  });

  it('ends a session when it is told to, and does not know it afterwards', async () => {
    const { port } = await office();
    const own = await session(port);
    expect((await ask(port, { method: 'DELETE', headers: own })).status).toBe(200);
    for (const method of ['POST', 'GET', 'DELETE'])
      expect((await ask(port, { method, headers: own, body: method === 'POST' ? INITIALIZE : undefined })).status).toBe(
        404,
      );
  });

  it('gives a client whose stream broke the answer when it comes back, once', async () => {
    const { office: one, port } = await office();
    const own = await session(port);
    const callId = await ringing(one);
    const waiting = await ask(port, { headers: own, body: call('wait-for-call', { callId, timeoutSeconds: 50 }) });
    await until(() => waiting.eventIds.length > 0);
    waiting.cut();
    await waiting.ended;
    await one.switchboard.end(callId, 'now');
    const resumed = await ask(port, {
      method: 'GET',
      headers: { ...own, 'last-event-id': waiting.eventIds.at(-1) ?? '' },
    });
    expect(resumed.status).toBe(200);
    await until(() => resumed.messages.length > 0, 15_000);
    expect(resumed.messages[0]).toMatchObject({ id: 7, result: { structuredContent: { callId } } });
    await resumed.ended;
    // Again, from before the answer and from after it.
    const before = await ask(port, { method: 'GET', headers: { ...own, 'last-event-id': waiting.eventIds[0] ?? '' } });
    await before.ended;
    expect(before.messages).toEqual(resumed.messages);
    const after = { ...own, 'last-event-id': resumed.eventIds.at(-1) ?? '' };
    expect((await ask(port, { method: 'GET', headers: after })).status).toBe(204);
    const unknown = { ...after, 'mcp-protocol-version': '1999-01-01' };
    expect((await ask(port, { method: 'GET', headers: unknown })).status).toBe(400);
    expect((await ask(port, { method: 'GET', headers: { ...own, 'last-event-id': 'made-up' } })).status).toBe(400);
  });

  it('tells of progress to who asked for it, and of changes to who subscribed, on one open stream', async () => {
    const { office: one, port } = await office();
    const own = await session(port);
    const news = await ask(port, { method: 'GET', headers: own });
    const subscribe = {
      jsonrpc: '2.0',
      id: 3,
      method: 'resources/subscribe',
      params: { uri: 'call://transcriptions' },
    };
    await (await ask(port, { headers: own, body: subscribe })).ended;
    const callId = await one.place();
    await until(() => news.messages.some(({ method }) => method === 'notifications/resources/updated'));
    expect((await ask(port, { method: 'GET', headers: own })).status).toBe(409);
    const waiting = await ask(port, {
      headers: own,
      body: call('wait-for-call', { callId, timeoutSeconds: 50 }, { _meta: { progressToken: 'p' } }),
    });
    await until(() => waiting.messages.some(({ method }) => method === 'notifications/progress'));
    await one.switchboard.end(callId, 'now');
    await waiting.ended;
    expect(waiting.messages.at(-1)).toMatchObject({ id: 7, result: { structuredContent: { callId } } });
    news.cut();
  });

  it('cancels what is cancelled, and nothing because a connection ended', async () => {
    const { office: one, port } = await office();
    const own = await session(port);
    const callId = await ringing(one);
    const waiting = await ask(port, { headers: own, body: call('wait-for-call', { callId, timeoutSeconds: 50 }) });
    const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } };
    expect((await ask(port, { headers: own, body: cancelled })).status).toBe(202);
    const answer = await ask(port, { headers: own, body: { ...call('get-call', { callId }), id: 8 } });
    await answer.ended;
    expect(answer.messages[0]).toMatchObject({ id: 8, result: { structuredContent: { state: 'ringing' } } });
    await waiting.ended;
    expect(waiting.messages).toEqual([]);
    const back = { ...own, 'last-event-id': waiting.eventIds.at(-1) ?? '' };
    expect((await ask(port, { method: 'GET', headers: back })).status).toBe(204);
    // An answer that was there first stays one.
    expect((await ask(port, { headers: own, body: cancelled })).status).toBe(202);
    const pinged = await ask(port, { headers: own, body: { jsonrpc: '2.0', id: 7, method: 'ping' } });
    await pinged.ended;
    expect(pinged.messages).toEqual([{ jsonrpc: '2.0', id: 7, result: {} }]);
  });

  it('lets a stream be resumed from its beginning, also of a client that names no version any more', async () => {
    const { port } = await office();
    const { 'mcp-protocol-version': _, ...own } = await session(port);
    const answer = await ask(port, { headers: own, body: { jsonrpc: '2.0', id: 1, method: 'ping' } });
    await answer.ended;
    expect(answer.body).toMatch(/^id: \d+\nretry: 1000\ndata: \n\n/);
    const older = { ...INITIALIZE, params: { ...INITIALIZE.params, protocolVersion: '2025-06-18' } };
    const opened = await ask(port, { body: older });
    await opened.ended;
    // One of before 2025-11-25 could not read an event without data.
    expect(opened.body).toMatch(/^event: message\n/);
    const theirs = { 'mcp-session-id': String(opened.headers['mcp-session-id']) };
    const plain = await ask(port, { headers: theirs, body: { jsonrpc: '2.0', id: 1, method: 'ping' } });
    await plain.ended;
    expect(plain.body).toMatch(/^event: message\n/);
  });

  it('answers all of several messages that came as one, and keeps the stream of the others when one is cancelled', async () => {
    const { office: one, port } = await office();
    const opened = await ask(port, {
      body: { ...INITIALIZE, params: { ...INITIALIZE.params, protocolVersion: '2025-03-26' } },
    });
    await opened.ended;
    const own = { 'mcp-session-id': String(opened.headers['mcp-session-id']) };
    const callId = await ringing(one);
    const wait = call('wait-for-call', { callId, timeoutSeconds: 50 });
    const both = await ask(port, {
      headers: own,
      body: [{ jsonrpc: '2.0', id: 6, method: 'ping' }, wait, { ...wait, id: 8 }],
    });
    await until(() => both.messages.some(({ id }) => id === 6));
    const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } };
    expect((await ask(port, { headers: own, body: cancelled })).status).toBe(202);
    await one.switchboard.end(callId, 'now');
    await until(() => both.messages.some(({ id }) => id === 8), 15_000);
    expect(both.messages.map(({ id }) => id)).toEqual([6, 8]);
    both.cut();
  });
});

describe('sessions of several tokens', () => {
  it('are each their own: nobody finds, reads, answers or ends that of another', async () => {
    const { port } = await office({ MCP_AUTH_TOKEN: ADMIN, OAUTH_ISSUER: '', MCP_ALLOW_QUERY_TOKEN: 'true' });
    expect((await ask(port, { body: INITIALIZE })).status).toBe(401);
    const own = await session(port, bearer(ADMIN));
    expect(
      (await ask(port, { headers: { 'mcp-session-id': own['mcp-session-id'] ?? '' }, body: INITIALIZE })).status,
    ).toBe(401);
    const answer = await ask(port, { headers: own, body: { jsonrpc: '2.0', id: 1, method: 'ping' } });
    expect(answer.status).toBe(200);
    // By the address, where that is allowed, it is the same token.
    const { authorization, ...bare } = own;
    expect(
      (await ask(port, { path: `/mcp?token=${ADMIN}`, headers: bare, body: { jsonrpc: '2.0', id: 1, method: 'ping' } }))
        .status,
    ).toBe(200);
  });
});

describe('the older HTTP+SSE', () => {
  async function stream(port: number, path: string, headers: Record<string, string> = {}) {
    const answer = await ask(port, { method: 'GET', path, headers });
    await until(() => /event: endpoint\ndata: (\S+)/.test(answer.body));
    return { answer, endpoint: /event: endpoint\ndata: (\S+)/.exec(answer.body)?.[1] ?? '' };
  }

  it('names its endpoint, takes requests there, and answers on the stream', async () => {
    const { office: one, port } = await office();
    const { answer, endpoint } = await stream(port, '/sse');
    expect(endpoint).toMatch(/^\/messages\?sessionId=[0-9a-f-]{36}$/);
    const params = { ...INITIALIZE.params, protocolVersion: '2024-11-05' };
    expect((await ask(port, { path: endpoint, body: { ...INITIALIZE, params } })).status).toBe(202);
    await until(() => answer.messages.length === 1);
    expect(answer.messages[0]?.result).toMatchObject({ protocolVersion: '2024-11-05' });
    expect(
      (await ask(port, { path: endpoint, body: { jsonrpc: '2.0', method: 'notifications/initialized' } })).status,
    ).toBe(202);
    const callId = await one.place();
    expect((await ask(port, { path: endpoint, body: call('get-call', { callId }) })).status).toBe(202);
    await until(() => answer.messages.some(({ id }) => id === 7));
    expect((await ask(port, { path: endpoint, body: WRONG })).status).toBe(202);
    await until(() => answer.messages.some(({ id }) => id === WRONG.id));
    expect(answer.messages).toContainEqual(WRONG_ANSWER);
    expect((await ask(port, { path: endpoint, body: '{' })).status).toBe(400);
    expect((await ask(port, { path: '/messages?sessionId=nobody', body: call('get-call', { callId }) })).status).toBe(
      404,
    );
    answer.cut();
    await answer.ended;
    await expect
      .poll(async () => (await ask(port, { path: endpoint, body: call('get-call', { callId }) })).status)
      .toBe(404);
  });

  it('passes a token of the address on to its endpoint, since such a client can show it nowhere else', async () => {
    const { port, office: one } = await office({
      MCP_AUTH_TOKEN: ADMIN,
      MCP_ALLOW_QUERY_TOKEN: 'true',
      LOG_LEVEL: 'trace',
    });
    const { answer, endpoint } = await stream(port, `/sse?token=${ADMIN}`);
    expect((await ask(port, { path: endpoint, body: INITIALIZE })).status).toBe(202);
    const by = await stream(port, '/sse', bearer(ADMIN));
    expect(by.endpoint).not.toContain(ADMIN);
    expect((await ask(port, { path: by.endpoint, body: INITIALIZE })).status).toBe(401);
    expect(one.log.join('\n')).not.toContain(ADMIN);
    answer.cut();
    by.answer.cut();
  });
});
