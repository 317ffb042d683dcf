import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../fixtures/mcp-pair.ts';
import { processes } from './process.ts';

/** The official inspector, `@modelcontextprotocol/inspector`, on the command line, against the product itself. */
const INSPECTOR = fileURLToPath(new URL('../../node_modules/.bin/mcp-inspector', import.meta.url));
const CLI = fileURLToPath(new URL('../../src/cli/cli.ts', import.meta.url));
const TOKEN = 'the-token-of-the-inspector-0123456789';
const here = processes();
afterEach(() => here.cleanUp());

type Answer = Readonly<Record<string, unknown>>;

/** Where the product is, as the inspector is told: its first words, and the ones at the end. */
interface Target {
  readonly home: string;
  readonly words: readonly string[];
  readonly options: readonly string[];
}

async function inspect(
  { home, words, options }: Target,
  ...wish: readonly string[]
): Promise<{ code: number; result: Answer }> {
  const env = { PATH: process.env.PATH ?? '', HOME: home, DATA_DIR: home, MCP_INSPECTOR_SECRET_STORE: 'memory' };
  const args = ['--cli', ...words, ...options, ...wish, '--format', 'json'];
  const run = promisify(execFile)(INSPECTOR, args, { cwd: home, env, maxBuffer: 16 * 1024 * 1024 });
  const { stdout, code } = await run.then((done) => ({ ...done, code: 0 })).catch((error) => error);
  return { code, result: JSON.parse(stdout || '{}').result ?? {} };
}

async function overHttp(): Promise<Target> {
  const server = here.spawn({
    args: ['serve', '--simulate', '--mcp-port', '0'],
    env: { DATA_DIR: here.folder(), MCP_AUTH_TOKEN: TOKEN },
  });
  const port = () => /"port":(\d+),"msg":"private listener is listening"/.exec(server.log)?.[1];
  await until(() => port() !== undefined, 30_000);
  const words = [`http://127.0.0.1:${port()}/mcp`];
  return { home: here.folder(), words, options: ['--transport', 'http', '--header', `Authorization: Bearer ${TOKEN}`] };
}

async function overStdio(): Promise<Target> {
  return { home: here.folder(), words: [process.execPath, CLI, '--simulate'], options: [] };
}

describe.each([
  ['HTTP', overHttp],
  ['stdio', overStdio],
] as const)('the inspector over %s', (_, target) => {
  it('finds every tool, in schemas that other clients can take, and everything else that there is', async () => {
    const at = await target();
    const strict = await inspect(at, '--method', 'tools/list', '--strict');
    expect(strict.code).toBe(0);
    expect(strict.result.tools).toHaveLength(7);
    expect((await inspect(at, '--method', 'prompts/list')).result.prompts).toHaveLength(3);
    expect((await inspect(at, '--method', 'resources/list')).result.resources).toHaveLength(2);
    expect((await inspect(at, '--method', 'resources/templates/list')).result.resourceTemplates).toHaveLength(2);
    const read = await inspect(at, '--method', 'resources/read', '--uri', 'call://transcriptions');
    expect(JSON.stringify(read.result)).toContain('simulated');
    const prompt = ['--prompt-name', 'leave-message', '--prompt-args', 'toNumber=+14155550123', 'message=Hello'];
    expect(JSON.stringify((await inspect(at, '--method', 'prompts/get', ...prompt)).result)).toContain('trigger-call');
  }, 60_000);

  it('calls tools, sees their failures as failures, and calls them two hundred times at twenty at once', async () => {
    const at = await target();
    const listed = await inspect(at, '--method', 'tools/call', '--tool-name', 'list-calls');
    expect([listed.code, listed.result.structuredContent]).toEqual([0, expect.objectContaining({ calls: [] })]);
    const call = ['toNumber=+14155550123', 'callContext=Book a table for two.'].flatMap((arg) => ['--tool-arg', arg]);
    const placed = await inspect(at, '--method', 'tools/call', '--tool-name', 'trigger-call', ...call);
    expect([placed.code, placed.result.structuredContent]).toEqual([
      0,
      expect.objectContaining({ status: 'success', simulated: true }),
    ]);
    const args = JSON.stringify({ callId: 'nobody' });
    const missing = await inspect(at, '--method', 'tools/call', '--tool-name', 'get-call', '--tool-args-json', args);
    expect(missing.code).toBe(5);
    const load = ['--load', '--load-requests', '200', '--load-concurrency', '20'];
    const loaded = await inspect(at, '--method', 'tools/call', '--tool-name', 'list-calls', ...load);
    expect(loaded).toMatchObject({ code: 0, result: { requests: 200, ok: 200, errors: 0, toolErrors: 0 } });
  }, 60_000);
});
