import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterEach, describe, expect, it } from 'vitest';
import type { Access, Scope } from '../../src/config/access.ts';
import { createEventLog } from '../../src/mcp/event-log.ts';
import { createMcpHttp, type McpHttp } from '../../src/mcp/http.ts';
import { LOCAL_SESSION } from '../../src/mcp/offer.ts';
import { createMcpServer, scopeOfRequest } from '../../src/mcp/server.ts';
import { until } from '../fixtures/mcp-pair.ts';
import { SmallSwitchboard } from '../fixtures/small-switchboard.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

interface Edge {
  readonly url: string;
  readonly mcp: McpHttp;
  readonly switchboard: SmallSwitchboard;
  /** Whose requests they are from now on. */
  be(name: string, ...scopes: Scope[]): void;
}

async function edge(limits: { mostSessions?: number } = {}): Promise<Edge> {
  let access: Access = { name: 'one', scopes: new Set(['admin']) };
  const logger = { debug: () => undefined, error: () => undefined };
  const switchboard = new SmallSwitchboard();
  const mcp = createMcpHttp({
    newServer: (session) =>
      createMcpServer({ switchboard, version: '1', logger, session: { ...LOCAL_SESSION, ...session } }),
    scopeOf: scopeOfRequest,
    readBody: async (request) => {
      let text = '';
      for await (const chunk of request) text += chunk;
      return text;
    },
    addressToken: () => null,
    basePath: '',
    logger,
    ...limits,
  });
  const server: Server = createServer((request, response) => void mcp.streamable(request, response, access));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    await mcp.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const be = (name: string, ...scopes: Scope[]): void => {
    access = { name, scopes: new Set(scopes) };
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, mcp, switchboard, be };
}

const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
};

async function post(url: string, body: object, session?: string): Promise<Response> {
  const headers = session === undefined ? HEADERS : { ...HEADERS, 'mcp-session-id': session };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  await response.clone().text();
  return response;
}

async function open(url: string): Promise<string> {
  return (await post(url, INITIALIZE)).headers.get('mcp-session-id') ?? 'none';
}

describe('sessions over HTTP', () => {
  it('belong to the credentials that opened them, scopes included', async () => {
    const { url, be } = await edge();
    be('one', 'calls:read');
    const session = await open(url);
    const ping = { jsonrpc: '2.0', id: 2, method: 'ping' };
    expect((await post(url, ping, session)).status).toBe(200);
    be('two', 'calls:read');
    expect((await post(url, ping, session)).status).toBe(404);
    be('one', 'calls:read', 'calls:place');
    expect((await post(url, ping, session)).status).toBe(404);
  });

  it('answer a request beyond their scopes with 403 and the scope that it needs, alone or among others', async () => {
    const { url, be } = await edge();
    be('one', 'calls:read');
    const session = await open(url);
    const place = { jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'trigger-call', arguments: {} } };
    for (const body of [place, [{ jsonrpc: '2.0', id: 2, method: 'ping' }, place]]) {
      const refused = await post(url, body, session);
      expect(refused.status).toBe(403);
      expect(refused.headers.get('www-authenticate')).toContain('error="insufficient_scope", scope="calls:place"');
    }
  });

  it('are limited in number: the one that has been idle for longest makes room, and one in use does not', async () => {
    const { url, mcp } = await edge({ mostSessions: 2 });
    const [first, second] = [await open(url), await open(url)];
    const third = await open(url);
    const ping = { jsonrpc: '2.0', id: 2, method: 'ping' };
    expect((await post(url, ping, first)).status).toBe(404);
    const streams = [second, third].map((session) =>
      fetch(url, { headers: { accept: 'text/event-stream', 'mcp-session-id': session } }),
    );
    for (const stream of await Promise.all(streams)) expect(stream.status).toBe(200);
    const refused = await post(url, INITIALIZE);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '30']);
    expect(mcp.sessions()).toBe(2);
  });

  it('that were never opened to their end are not kept', async () => {
    const { url, mcp } = await edge();
    const refused = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(INITIALIZE),
    });
    expect(refused.status).toBe(406);
    expect(mcp.sessions()).toBe(0);
  });
});

describe("the SDK's client over HTTP", () => {
  /** What it asked, and what it was answered, in the order of the answers. */
  async function connected(url: string) {
    const log: string[] = [];
    const transport = new StreamableHTTPClientTransport(new URL(url), {
      fetch: async (address, init) => {
        const response = await fetch(address, init);
        const since = new Headers(init?.headers).has('last-event-id') ? ' since' : '';
        log.push(`${init?.method}${since} ${response.status}`);
        return response;
      },
    });
    const client = new Client({ name: 'x', version: '1' });
    await client.connect(transport);
    closing.push(() => client.close());
    return { client, log };
  }

  it('finds no stream that stays open when it comes back after an error or after it has cancelled', async () => {
    const { url, switchboard } = await edge();
    const { client, log } = await connected(url);
    const back = () => log.filter((line) => line.startsWith('GET since'));
    await expect(client.callTool({ name: 'no-such-tool', arguments: {} })).rejects.toMatchObject({ code: -32602 });
    await until(() => back().length === 1);
    const { callId } = await switchboard.place({ to: '+14155550123', context: 'Book a table.' });
    const giveUp = new AbortController();
    const wait = { name: 'wait-for-call', arguments: { callId, cursor: 9 } };
    const waiting = client.callTool(wait, undefined, { signal: giveUp.signal });
    await until(() => log.filter((line) => line === 'POST 200').length === 3);
    giveUp.abort();
    await expect(waiting).rejects.toThrow();
    await until(() => back().length === 2);
    expect(back()).toEqual(['GET since 204', 'GET since 204']);
  });

  it('reads an error of the protocol where its parameters are wrong', async () => {
    const { client } = await connected((await edge()).url);
    await expect(client.readResource({ uri: 'no uri' })).rejects.toMatchObject({ code: -32602 });
  });
});

describe('the events that are kept for who comes back', () => {
  it('are replayed in order, of their own stream only, after the last one that was seen', async () => {
    const log = createEventLog<{ n: number }>();
    const ids: string[] = [];
    for (let n = 0; n < 6; n += 1) ids.push(await log.storeEvent(n % 2 === 0 ? 'even' : 'odd', { n }));
    const seen: number[] = [];
    const stream = await log.replayEventsAfter(ids[0] ?? '', { send: async (_, { n }) => void seen.push(n) });
    expect([stream, seen]).toEqual(['even', [2, 4]]);
    expect(await log.getStreamIdForEventId(ids[1] ?? '')).toBe('odd');
    expect(await log.getStreamIdForEventId('made-up')).toBeUndefined();
  });

  it('are bounded in number and size, the newest of them', async () => {
    const few = createEventLog<string>(3, 1_000);
    const ids = [];
    for (let n = 0; n < 5; n += 1) ids.push(await few.storeEvent('a', `${n}`));
    expect(await Promise.all(ids.map((id) => few.getStreamIdForEventId(id)))).toEqual([
      undefined,
      undefined,
      'a',
      'a',
      'a',
    ]);
    const large = await few.storeEvent('a', 'x'.repeat(2_000));
    expect(await few.getStreamIdForEventId(ids[4] ?? '')).toBeUndefined();
    expect(await few.getStreamIdForEventId(large)).toBe('a');
  });
});
