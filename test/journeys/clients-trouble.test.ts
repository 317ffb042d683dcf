import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StreamableHTTPClientTransport as NewHttpTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport as NewStdioTransport } from '@modelcontextprotocol/client/stdio';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../fixtures/mcp-pair.ts';
import { processes } from './process.ts';
import { type Caller, newer, older } from './sdk-clients.ts';
import { ringingForEver } from './short-calls.ts';

const here = processes();
afterEach(() => here.cleanUp());

const CLI = fileURLToPath(new URL('../../src/cli/cli.ts', import.meta.url));
const TOKEN = 'the-token-of-the-clients-0123456789';
const OTHER = 'the-token-of-the-others-0123456789';

/** The product as a service, where every call rings for ever, with a token of each of two clients. */
async function service() {
  const world = here.later(await ringingForEver());
  const folder = here.folder();
  const tokensFile = join(folder, 'tokens.json');
  const scopes = ['calls:read', 'calls:place'];
  const tokens = [
    { name: 'one', token: TOKEN, scopes },
    { name: 'other', token: OTHER, scopes },
  ];
  writeFileSync(tokensFile, JSON.stringify({ tokens }), { mode: 0o600 });
  const env = { ...world.env, DATA_DIR: folder };
  const server = here.spawn({
    args: ['serve', '--simulate', '--mcp-port', '0', '--mcp-tokens-file', tokensFile],
    env,
  });
  const logged = () => /"port":(\d+),"msg":"private listener is listening"/.exec(server.log)?.[1];
  await until(() => logged() !== undefined, 30_000);
  const child = {
    command: process.execPath,
    args: [CLI, '--simulate'],
    env: { ...env, HOME: here.folder() },
    stderr: 'ignore' as const,
  };
  return { port: Number(logged()), child };
}

const url = (port: number, path = '/mcp') => new URL(`http://127.0.0.1:${port}${path}`);
const requestInit = { headers: { authorization: `Bearer ${TOKEN}` } };
const CALL = { toNumber: '+14155550123', callContext: 'Book a table for four on Friday at seven.' };

async function ringing(client: Caller): Promise<string> {
  const { callId } = await client.call('trigger-call', CALL);
  await expect.poll(async () => (await client.call('get-call', { callId })).state).toBe('ringing');
  return String(callId);
}

/** A cable between a client and the server, which can be cut; it is whole again at once. */
async function cable(toPort: number): Promise<{ readonly port: number; cut(): number }> {
  const ends = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(toPort, '127.0.0.1');
    for (const end of [near, far]) {
      ends.add(end);
      end
        .on('error', () => undefined)
        .on('close', () => {
          ends.delete(end);
          near.destroy();
          far.destroy();
        });
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): number => {
    const count = ends.size / 2;
    for (const end of ends) end.destroy();
    return count;
  };
  here.later({
    close: async () => {
      cut();
      server.close();
    },
  });
  return { port: (server.address() as AddressInfo).port, cut };
}

describe("others' clients in trouble", { timeout: 60_000 }, () => {
  it('give a request up, and go on in the same session, whatever their transport', async () => {
    const { port, child } = await service();
    const clients: Readonly<Record<string, Caller>> = {
      'v1 over stdio': here.later(await older(new StdioClientTransport(child))),
      'v1 over Streamable HTTP': here.later(await older(new StreamableHTTPClientTransport(url(port), { requestInit }))),
      'v1 over SSE': here.later(await older(new SSEClientTransport(url(port, '/sse'), { requestInit }))),
      'v2 over stdio': here.later(await newer(new NewStdioTransport(child))),
      'v2 over Streamable HTTP': here.later(await newer(new NewHttpTransport(url(port), { requestInit }))),
    };
    for (const [name, client] of Object.entries(clients)) {
      const callId = await ringing(client);
      const giveUp = new AbortController();
      const waiting = client.call('wait-for-call', { callId, timeoutSeconds: 50 }, { signal: giveUp.signal });
      // It is under way when a later request has been answered.
      await client.call('list-calls', {});
      giveUp.abort();
      await expect(waiting, name).rejects.toThrow();
      expect(await client.call('end-call', { callId }), name).toMatchObject({ callId });
    }
  });

  it.each([
    ['v1', (at: URL) => older(new StreamableHTTPClientTransport(at, { requestInit }))],
    ['v2', (at: URL) => newer(new NewHttpTransport(at, { requestInit }))],
  ] as const)(
    'get their answer although the connection was cut meanwhile, and hear of changes again (%s)',
    async (_, open) => {
      const { port } = await service();
      const wire = await cable(port);
      const client = here.later(await open(url(wire.port)));
      const updated: string[] = [];
      await client.subscribe('call://transcriptions/latest', (uri) => updated.push(uri));
      const callId = await ringing(client);
      let begun = false;
      const waiting = client.call(
        'wait-for-call',
        { callId, timeoutSeconds: 50 },
        { onresumptiontoken: () => (begun = true) },
      );
      await until(() => begun);
      expect(wire.cut()).toBeGreaterThan(1);
      updated.length = 0;
      const another = here.later(await newer(new NewHttpTransport(url(port), { requestInit })));
      await another.call('end-call', { callId });
      const { state } = await waiting;
      expect(['ending', 'ended']).toContain(state);
      await ringing(client);
      await until(() => updated.includes('call://transcriptions/latest'));
    },
  );

  it('end their session, which nobody finds afterwards, and nobody else finds before', async () => {
    const { port } = await service();
    const transport = new StreamableHTTPClientTransport(url(port), { requestInit });
    const client = here.later(await older(transport));
    await client.call('list-calls', {});
    const own = transport.sessionId ?? '';
    const ping = async (token: string) => {
      const headers = {
        authorization: `Bearer ${token}`,
        'mcp-session-id': own,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      };
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
      return (await fetch(url(port), { method: 'POST', headers, body })).status;
    };
    expect([await ping(TOKEN), await ping(OTHER)]).toEqual([200, 404]);
    await transport.terminateSession();
    expect([await ping(TOKEN), await ping(OTHER)]).toEqual([404, 404]);
  });
});
