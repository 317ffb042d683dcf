import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { connectStdioClient, type StdioClient } from '../../src/mcp/client.ts';
import { until } from '../fixtures/mcp-pair.ts';

const SERVER = fileURLToPath(new URL('../fixtures/stdio-server.ts', import.meta.url));

const children: ChildProcess[] = [];
const clients: StdioClient[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

/** The server as a bare process. `messages` are the JSON objects of its stdout; a line that is none fails the test. */
function start(...args: string[]) {
  const child = spawn(process.execPath, [SERVER, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  children.push(child);
  const messages: { id?: number; result?: Record<string, unknown>; error?: object }[] = [];
  const foreign: string[] = [];
  const log = { text: '' };
  child.stderr.on('data', (chunk) => {
    log.text += chunk;
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    try {
      messages.push(JSON.parse(line));
    } catch {
      foreign.push(line);
    }
  });
  const send = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  return { child, messages, foreign, log, send };
}

const INITIALIZE = {
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '0' } },
};

async function connect(...args: string[]): Promise<StdioClient> {
  const client = await connectStdioClient({
    command: process.execPath,
    args: [SERVER, ...args],
    env: {},
    version: '0',
  });
  clients.push(client);
  return client;
}

describe('the server on stdio', () => {
  it('shakes hands without any settings, and then explains what is missing in the tool that needs it', async () => {
    const { send, messages } = start('--broken');
    send(INITIALIZE);
    await until(() => messages.length === 1, 15_000);
    expect(messages[0]?.result).toMatchObject({
      protocolVersion: '2025-11-25',
      serverInfo: { name: 'switchboard', version: '1.2.3' },
      capabilities: { tools: {}, prompts: {}, completions: {}, resources: { subscribe: true, listChanged: true } },
    });
    send({ method: 'notifications/initialized' });
    const args = { toNumber: '+14155550123', callContext: 'x' };
    send({ id: 2, method: 'tools/call', params: { name: 'trigger-call', arguments: args } });
    await until(() => messages.length === 2);
    expect(messages[1]?.result).toMatchObject({
      isError: true,
      structuredContent: { status: 'error', message: 'OPENAI_API_KEY is missing.' },
    });
  });

  it('keeps stdout for JSON-RPC: what anything prints goes to stderr', async () => {
    const { send, messages, foreign, log } = start();
    send(INITIALIZE);
    await until(() => messages.length === 1, 15_000);
    expect(foreign).toEqual([]);
    for (const printed of ['a banner of some library', 'another one', 'served']) expect(log.text).toContain(printed);
  });

  it('lives on after a line that is no message, and refuses a method of a newer protocol', async () => {
    const { child, send, messages } = start();
    child.stdin.write('{"this is": not JSON\n');
    send({ id: 7, method: 'server/discover', params: {} });
    send(INITIALIZE);
    await until(() => messages.length === 3, 15_000);
    expect(messages).toMatchObject([
      { error: { code: -32700 } },
      { id: 7, error: { code: -32601 } },
      { id: 1, result: {} },
    ]);
  });

  it('answers what was asked before stdin ends, tells that the client has gone, and ends', async () => {
    const { child, send, messages, log } = start();
    send(INITIALIZE);
    child.stdin.end();
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    expect(messages.map(({ id }) => id)).toEqual([1]);
    expect(log.text).toContain('closed: stdin ended');
  });

  it('survives a client that stops reading: it tells so and ends in order', async () => {
    const { child, send, messages, log } = start();
    send(INITIALIZE);
    await until(() => messages.length === 1, 15_000);
    child.stdout.destroy();
    const exit = once(child, 'exit');
    send({ id: 2, method: 'tools/list' });
    const [code] = await exit;
    expect(code).toBe(0);
    expect(log.text).toContain('closed: stdout cannot be written to');
  });
});

describe('what no client should send', () => {
  const ask = { id: 'ask', method: 'tools/call', params: { name: 'list-calls', arguments: {} } };

  it('is answered with an error that says what is wrong, and the next request is answered as ever', async () => {
    const { child, send, messages } = start();
    send(INITIALIZE);
    await until(() => messages.length === 1, 15_000);
    const lines = [
      '{"jsonrpc":',
      '\u0000\ufffd',
      '[]',
      '[{"jsonrpc":"2.0","id":1,"method":"ping"}]',
      '"text"',
      '{"id":7,"method":"x"}',
      '{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":5,"arguments":[]}}',
      '{"jsonrpc":"2.0","id":9,"method":"resources/read","params":{"uri":"latest"}}',
    ];
    child.stdin.write(`${lines.join('\r\n')}\r\n\n   \n`);
    send(ask);
    await until(() => messages.some(({ id }) => (id as unknown) === 'ask'));
    const errors = messages.filter(({ error }) => error !== undefined);
    expect(errors).toEqual([
      { jsonrpc: '2.0', error: { code: -32700, message: 'The line is not JSON.' } },
      { jsonrpc: '2.0', error: { code: -32700, message: 'The line is not JSON.' } },
      { jsonrpc: '2.0', error: { code: -32600, message: 'Batches are not part of the protocol.' } },
      { jsonrpc: '2.0', error: { code: -32600, message: 'Batches are not part of the protocol.' } },
      { jsonrpc: '2.0', error: { code: -32600, message: 'This is not a JSON-RPC 2.0 message.' } },
      { jsonrpc: '2.0', id: 7, error: { code: -32600, message: 'This is not a JSON-RPC 2.0 message.' } },
      {
        jsonrpc: '2.0',
        id: 8,
        error: { code: -32602, message: 'tools/call is not well-formed: look at params.name, params.arguments.' },
      },
      { jsonrpc: '2.0', id: 9, error: { code: -32602, message: 'The uri is none.' } },
    ]);
  });

  it('may be nested beyond measure: it has its answer, and so has the next request', async () => {
    const { child, send, messages } = start();
    send(INITIALIZE);
    await until(() => messages.length === 1, 15_000);
    const depth = 200_000;
    const nested = '['.repeat(depth) + ']'.repeat(depth);
    for (const params of [`{"name":"list-calls","arguments":{"a":${nested}}}`, `{"_meta":{"x":${nested}}}`, nested]) {
      child.stdin.write(`{"jsonrpc":"2.0","id":"deep","method":"tools/call","params":${params}}\n`);
    }
    send(ask);
    await until(() => messages.some(({ id }) => (id as unknown) === 'ask'));
    expect(messages.filter(({ id }) => (id as unknown) === 'deep')).toHaveLength(3);
  });

  it('may be a line without an end: it is passed over without being kept, and the session goes on', async () => {
    const { child, send, messages, log } = start();
    send(INITIALIZE);
    await until(() => messages.length === 1, 15_000);
    const piece = Buffer.alloc(1024 * 1024, 'x');
    for (let index = 0; index < 24; index += 1) {
      if (!child.stdin.write(piece)) await once(child.stdin, 'drain');
    }
    child.stdin.write('\n');
    send(ask);
    await until(() => messages.some(({ id }) => (id as unknown) === 'ask'));
    expect(messages[1]?.error).toEqual({ code: -32600, message: 'The line is longer than 1048576 bytes.' });
    expect(log.text).not.toContain('closed');
  });

  it('may be more requests than anybody can wait for: those above 250 at a time are refused', async () => {
    const { send, messages } = start();
    send(INITIALIZE);
    send({
      id: 2,
      method: 'tools/call',
      params: { name: 'trigger-call', arguments: { toNumber: '+14155550123', callContext: 'x' } },
    });
    await until(() => messages.some(({ id }) => id === 2), 15_000);
    const placed = messages.find(({ id }) => id === 2)?.result as { structuredContent: { callId: string } };
    const { callId } = placed.structuredContent;
    send({ id: 3, method: 'tools/call', params: { name: 'wait-for-call', arguments: { callId } } });
    await until(() => messages.some(({ id }) => id === 3));
    const wait = { callId, cursor: 100, timeoutSeconds: 50 };
    for (let id = 10; id < 310; id += 1)
      send({ id, method: 'tools/call', params: { name: 'wait-for-call', arguments: wait } });
    await until(() => messages.filter(({ error }) => error !== undefined).length === 50);
    expect(messages.at(-1)?.error).toMatchObject({ message: expect.stringContaining('250 tool calls are under way') });
  });
});

describe('our own client', () => {
  it('places a call, hears of its lines and reads them', async () => {
    const client = await connect();
    expect(client.instructions).toContain('wait-for-call');
    expect(await client.listTools()).toContain('trigger-call');
    const prompt = await client.getPrompt('make-restaurant-reservation', {
      restaurantNumber: '+14155550123',
      peopleNumber: '2',
      date: 'Friday',
      time: '20:00',
    });
    expect(prompt).toContain('a table for 2 on Friday at 20:00');
    let updates = 0;
    const stop = await client.subscribe('call://transcriptions', () => {
      updates += 1;
    });
    const { callId } = await client.callTool('trigger-call', { toNumber: '+14155550123', callContext: 'x' });
    const progress = await client.callTool('wait-for-call', { callId });
    expect(progress).toMatchObject({ lines: [{ text: 'Hello?' }] });
    await until(() => updates >= 2);
    expect(JSON.parse(await client.readResource('call://transcriptions/latest'))).toMatchObject({ call: { callId } });
    await stop();
  });

  it('rejects with the sentence of the server when a tool fails', async () => {
    const client = await connect('--broken');
    await expect(client.callTool('list-calls', {})).rejects.toMatchObject({
      name: 'UpstreamError',
      message: expect.stringContaining('OPENAI_API_KEY is missing.'),
    });
    await expect(client.readResource('call://transcriptions/latest')).rejects.toThrow('OPENAI_API_KEY is missing.');
  });

  it('passes the log of the child on by choice, and ends the child when it closes', async () => {
    let log = '';
    const client = await connectStdioClient({
      command: process.execPath,
      args: [SERVER],
      env: {},
      version: '0',
      stderr: (text) => {
        log += text;
      },
    });
    await client.close();
    await client.closed;
    expect(log).toContain('served');
    expect(log).toContain('closed: stdin ended');
  });

  it('rejects at once when there is no such command', async () => {
    const missing = connectStdioClient({ command: '/nonexistent/switchboard', args: [], env: {}, version: '0' });
    await expect(missing).rejects.toMatchObject({ name: 'UpstreamError' });
  });
});
