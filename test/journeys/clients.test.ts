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
import { AGREES, shortCalls } from './short-calls.ts';

const here = processes();
afterEach(() => here.cleanUp());

const CLI = fileURLToPath(new URL('../../src/cli/cli.ts', import.meta.url));
const TOKEN = 'the-token-of-the-clients-0123456789';

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
      'v1 over stdio': here.later(await older(new StdioClientTransport(process))),
      'v1 over Streamable HTTP': here.later(
        await older(new StreamableHTTPClientTransport(url('/mcp'), { requestInit })),
      ),
      'v1 over SSE': here.later(await older(new SSEClientTransport(url('/sse'), { requestInit }))),
      'v2 over stdio': here.later(await newer(new NewStdioTransport(process))),
      'v2 over Streamable HTTP': here.later(await newer(new NewHttpTransport(url('/mcp'), { requestInit }))),
    };
    const stories = Object.entries(clients).map(async ([name, client], index) => {
      expect(client.server(), name).toBe('switchboard');
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
        const page = await client.call(
          'wait-for-call',
          { callId, cursor, timeoutSeconds: 25 },
          {
            onprogress: () => {
              progress += 1;
            },
          },
        );
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
