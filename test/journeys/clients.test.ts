import { fileURLToPath } from 'node:url';
import { Client as NewClient, StreamableHTTPClientTransport as NewHttpTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport as NewStdioTransport } from '@modelcontextprotocol/client/stdio';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema, ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../fixtures/mcp-pair.ts';
import { processes } from './process.ts';
import { AGREES, shortCalls } from './short-calls.ts';

const here = processes();
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close().catch(() => undefined);
  await here.cleanUp();
});

const CLI = fileURLToPath(new URL('../../src/cli/cli.ts', import.meta.url));
const TOKEN = 'the-token-of-the-clients-0123456789';

/** What is asked of every client, whichever program it is. */
interface Caller {
  tools(): Promise<readonly string[]>;
  version(): string;
  call(name: string, args: Record<string, unknown>, onProgress?: () => void): Promise<Record<string, unknown>>;
  subscribe(uri: string, onUpdated: () => void): Promise<void>;
  complete(value: string): Promise<readonly string[]>;
  /** From now on its user answers like this when a call is to be placed. */
  answer(action: 'accept' | 'decline'): void;
}

const CAPABILITIES = { capabilities: { elicitation: { form: {} } } };
const INFO = { name: 'somebody', version: '1' };
const LONG = { timeout: 70_000, resetTimeoutOnProgress: true };

/** The v1 line of the SDK. */
async function older(transport: Parameters<Client['connect']>[0]): Promise<Caller> {
  const client = new Client(INFO, CAPABILITIES);
  let action: 'accept' | 'decline' = 'accept';
  client.setRequestHandler(ElicitRequestSchema, () => ({
    action,
    ...(action === 'accept' ? { content: { confirm: true } } : {}),
  }));
  await client.connect(transport);
  closing.push(() => client.close());
  return {
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    version: () => client.getServerVersion()?.name ?? '',
    call: async (name, args, onprogress) => {
      const result = await client.callTool({ name, arguments: args }, undefined, {
        ...LONG,
        ...(onprogress ? { onprogress } : {}),
      });
      return { ...(result.structuredContent as object), isError: result.isError === true };
    },
    subscribe: async (uri, onUpdated) => {
      client.setNotificationHandler(ResourceUpdatedNotificationSchema, onUpdated);
      await client.subscribeResource({ uri });
    },
    complete: async (value) => {
      const ref = { type: 'ref/resource' as const, uri: 'call://transcriptions/{callId}' };
      return (await client.complete({ ref, argument: { name: 'callId', value } })).completion.values;
    },
    answer: (next) => {
      action = next;
    },
  };
}

/** The v2 line of the SDK, which asks for a newer protocol first and falls back by itself. */
async function newer(transport: Parameters<NewClient['connect']>[0]): Promise<Caller> {
  const client = new NewClient(INFO, { ...CAPABILITIES, versionNegotiation: { mode: 'auto' } });
  let action: 'accept' | 'decline' = 'accept';
  client.setRequestHandler('elicitation/create', () => ({
    action,
    ...(action === 'accept' ? { content: { confirm: true } } : {}),
  }));
  await client.connect(transport);
  closing.push(() => client.close());
  return {
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    version: () => client.getServerVersion()?.name ?? '',
    call: async (name, args, onprogress) => {
      const result = await client.callTool(
        { name, arguments: args },
        { ...LONG, ...(onprogress ? { onprogress } : {}) },
      );
      return { ...(result.structuredContent as object), isError: result.isError === true };
    },
    subscribe: async (uri, onUpdated) => {
      client.setNotificationHandler('notifications/resources/updated', onUpdated);
      await client.subscribeResource({ uri });
    },
    complete: async (value) => {
      const ref = { type: 'ref/resource' as const, uri: 'call://transcriptions/{callId}' };
      return (await client.complete({ ref, argument: { name: 'callId', value } })).completion.values;
    },
    answer: (next) => {
      action = next;
    },
  };
}

describe("others' clients, all at once on one telephone", () => {
  it('place calls, follow them, hear of every line, complete an id and are asked first, whatever their transport', async () => {
    const world = here.later(await shortCalls(AGREES));
    const settings = { ...world.env, DATA_DIR: here.folder(), CONFIRM_CALLS: 'always' };
    const server = await here.spawn({
      args: ['serve', '--simulate', '--mcp-port', '0'],
      env: { ...settings, MCP_AUTH_TOKEN: TOKEN },
    });
    const port = () => /"port":(\d+),"msg":"private listener is listening"/.exec(server.log)?.[1];
    await until(() => port() !== undefined, 30_000);
    const url = (path: string) => new URL(`http://127.0.0.1:${port()}${path}`);
    const requestInit = { headers: { authorization: `Bearer ${TOKEN}` } };
    const process = {
      command: globalThis.process.execPath,
      args: [CLI, '--simulate'],
      env: { ...settings, HOME: here.folder() },
      stderr: 'ignore' as const,
    };
    const clients: Readonly<Record<string, Caller>> = {
      'v1 over stdio': await older(new StdioClientTransport(process)),
      'v1 over Streamable HTTP': await older(new StreamableHTTPClientTransport(url('/mcp'), { requestInit })),
      'v1 over SSE': await older(new SSEClientTransport(url('/sse'), { requestInit })),
      'v2 over stdio': await newer(new NewStdioTransport(process)),
      'v2 over Streamable HTTP': await newer(new NewHttpTransport(url('/mcp'), { requestInit })),
    };
    const stories = Object.entries(clients).map(async ([name, client], index) => {
      expect(client.version(), name).toBe('switchboard');
      expect(await client.tools(), name).toContain('trigger-call');
      let updates = 0;
      await client.subscribe('call://transcriptions', () => {
        updates += 1;
      });
      const call = { toNumber: `+1415555012${index}`, callContext: 'Book a table for four on Friday at seven.' };
      client.answer('decline');
      expect(await client.call('trigger-call', call), name).toMatchObject({ isError: true, callId: null });
      client.answer('accept');
      const { callId } = await client.call('trigger-call', call);
      expect(await client.complete(String(callId).slice(0, 12)), name).toEqual([callId]);
      const lines: unknown[] = [];
      let progress = 0;
      for (let cursor = 0, done = false; !done; ) {
        const page = await client.call('wait-for-call', { callId, cursor, timeoutSeconds: 25 }, () => {
          progress += 1;
        });
        lines.push(...(page.lines as unknown[]));
        cursor = Number(page.cursor);
        done = page.done === true;
      }
      expect([name, lines.length, progress > 0, updates > 3]).toEqual([name, 3, true, true]);
    });
    await Promise.all(stories);
    expect(world.twilio.calls).toHaveLength(5);
    expect((await clients['v2 over stdio']?.call('list-calls', {}))?.calls).toHaveLength(5);
  }, 120_000);
});
